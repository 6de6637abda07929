"""What a method declares of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .setting import MethodSettings

Dependence = Literal["alone", "first", "chained"]
"""What a frame depends on besides itself: nothing; the shot's frame 0, which depends on no other; or anything more,
including frames of one segment that change each other. Reuse relies on it: if it says too little, an edit brings back
old frames."""

Pass = Literal["depth", "part"]

HELD = 3  # the consistency of a method that holds pixels together


@dataclass(frozen=True, slots=True)
class Needs:
    """What a method takes in addition to the prompt, the seed and the model itself.

    `passes` are the layers that it reads. `matches`: it gets the correspondence of consecutive frames, so its frames
    depend on the body's geometry. `models` are further models that it may use, as `ModelFiles` names them. `memory`:
    it has a finish of its own, so its frames depend on all earlier segments.
    """

    passes: tuple[Pass, ...] = ("depth",)
    matches: bool = False
    models: tuple[str, ...] = ()
    memory: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of a method's settings, with the number of steps that goes with it, if one does."""

    name: str
    label: str
    description: str
    settings: MethodSettings
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class NamedSets:
    """Sets of settings that a job file may name instead of spelling them out: `"settings": {KEY: NAME, ...}`.

    `chosen` gives the set for the values in the file; values next to the name override it. It raises InputError for
    an unknown name.
    """

    key: str
    names: tuple[str, ...]
    chosen: Callable[[Mapping[str, Any]], MethodSettings]


@dataclass(frozen=True, slots=True)
class SettingsGroup:
    """Settings that belong to no single method, with their place in jobs, scenes and batch options."""

    name: str
    description: str
    settings: type[MethodSettings]
    sets: NamedSets | None = None


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A method as all code but its own knows it.

    `dependence` is what an edit of one frame affects, and so what a later segment needs from the earlier ones.
    `consistency` is its place between frames that share nothing (0) and frames whose pixels are held together
    (`HELD`); the sharpness and the background of a method are judged by the loosest one of the same shot.

    `settings` is the class of its settings (`setting`). `check` refuses settings that conflict with each other, or with
    the number of frames of the shot and of a segment, with an InputError `job.settings`; ranges are checked first.
    The names of `presets` are unique across all methods. `locked`: the finish locks its frames unless the job says
    otherwise.
    """

    name: str
    label: str
    description: str
    dependence: Dependence
    consistency: int
    needs: Needs = Needs()
    settings: type[MethodSettings] = MethodSettings
    check: Callable[[Any, int, int], None] | None = None
    presets: tuple[Preset, ...] = ()
    sets: NamedSets | None = None
    locked: bool = False

    @property
    def needs_first(self) -> bool:
        """Whether a later segment needs frame 0's trajectory."""
        return self.dependence != "alone"

    @property
    def needs_previous(self) -> bool:
        """Whether a later segment needs the trajectory of the frame before it."""
        return self.dependence == "chained"


HasSettings = MethodSpec | SettingsGroup  # anything whose settings are read, stored, shown and offered as options
