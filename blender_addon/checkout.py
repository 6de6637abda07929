"""`shared` as a sub-package of the add-on in a checkout, where it lies beside the add-on.

In the extension's zip `shared` is inside the add-on, and nothing of this runs. In a checkout the same relative imports
(`from ..shared.errors import ...`) must find the folder beside it, and must find the modules that a test or the command
line has imported as `shared.errors`: a class that exists twice is two classes, and an error of the one is not caught as
the other.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

_SHARED = "shared"


@dataclass(frozen=True)
class SharedAlias(MetaPathFinder, Loader):
    """Imports `PACKAGE.shared.x` as the module `shared.x`: one module under two names."""

    package: str

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for names below `PACKAGE.shared`, None for all others."""
        root = f"{self.package}.{_SHARED}"
        return spec_from_loader(fullname, self) if fullname == root or fullname.startswith(f"{root}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module under its own name, imported now if it was not. It keeps its own spec, which the import system
        would replace by the alias."""
        module = importlib.import_module(spec.name.removeprefix(f"{self.package}."))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run again; the module gets its own spec back."""
        alias = module.__spec__
        if alias is not None:
            module.__spec__ = alias.loader_state


def find_shared(package: str, package_path: MutableSequence[str], checkout: Path) -> None:
    """Let `package` find `shared` in its checkout.

    Where `shared` can be imported by that name from the checkout, both names give the same modules. Where it cannot (in
    the child Blender, or in a Blender that loads the add-on from a checkout), nobody else has it, and the package's
    path is extended.
    """
    known = find_spec(_SHARED)
    here = (checkout / _SHARED / "__init__.py").resolve()
    if known is None or known.origin is None or Path(known.origin).resolve() != here:
        package_path.append(str(checkout))
        return
    alias = SharedAlias(package)
    if alias not in sys.meta_path:
        sys.meta_path.insert(0, alias)
