"""The table of methods. A new method is one file and one line here; the loop is never edited."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from backend.loop.method import Method
from backend.methods.inputs import MethodInputs
from backend.methods.latentman.method import LatentMan
from backend.methods.masactrl.method import MasaCtrl
from backend.methods.per_frame.method import PerFrame
from backend.methods.shared_noise.method import SharedNoise
from backend.methods.text2video_zero.method import Text2VideoZero
from shared.methods import MethodSpec


class MethodClass(Protocol):
    """A method that can be built from a job."""

    spec: MethodSpec

    def build(self, inputs: MethodInputs) -> Method:
        """The method for one job. Raises InputError if something that it needs is not there."""
        ...


METHOD_CLASSES: Mapping[str, MethodClass] = MappingProxyType(
    {method.spec.name: method for method in (Text2VideoZero, MasaCtrl, LatentMan, SharedNoise, PerFrame)}
)
