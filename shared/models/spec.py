"""What a model family declares of itself: its parts, how files of them are told apart, and what a user may name.

Plain values only. Classes are named by string, because no library that loads weights is known here; the backend's
loader of the family has a table from these names to the classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Need = Literal["always", "in a folder", "never"]
"""When a model needs a part: always, only as a folder (a checkpoint does not need it), or never."""

WEIGHT_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")


@dataclass(frozen=True, slots=True)
class Mark:
    """Names of weights by which a file is known; one name that starts or ends so, or holds the pattern, is enough."""

    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    holds: str = ""

    def tells(self, names: Collection[str]) -> bool:
        """Whether a file with weights of these names has the mark."""
        pattern = re.compile(self.holds) if self.holds else None
        return any(
            name.startswith(self.starts) or name.endswith(self.ends) or bool(pattern and pattern.search(name))
            for name in names
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file of weights: the files that have all of `marks` and none of `without`.

    `name` has its article. `family` is the label of the only family that can use it. A `decisive` kind has marks that
    no other kind has, so that a file of it is nothing else; other kinds may lie in one file.
    """

    name: str
    marks: tuple[Mark, ...]
    without: tuple[Mark, ...] = ()
    family: str = ""
    decisive: bool = False

    def tells(self, names: Collection[str]) -> bool:
        """Whether a file with weights of these names is of this kind."""
        return all(mark.tells(names) for mark in self.marks) and not any(mark.tells(names) for mark in self.without)


@dataclass(frozen=True, slots=True)
class Place:
    """What a user may give in addition to a model: a field of `ModelFiles`, of the preferences and the command line.

    `role` is what error messages call it; `help` is for the command line, `label` and `description` for the
    preferences, `accepted` for the manual. If only a folder is accepted, `folder_of` says what it must contain. A place
    for more than one file (`most`) is a tuple and not in the preferences.
    """

    name: str
    role: str
    argument: str
    metavar: str
    help: str
    accepted: str
    label: str = ""
    description: str = ""
    folder_of: str = ""
    most: int = 1


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a part.

    `prefix` begins their names in a checkpoint; `decoration` is a pattern of entries, without the prefix, that training
    and saving leave behind and nothing needs. `stems` are the names of the files, without suffixes.
    """

    kind: Kind
    prefix: str = ""
    decoration: str = ""
    stems: tuple[str, ...] = WEIGHT_STEMS

    def is_decoration(self, name: str) -> bool:
        """Whether an entry, named without the prefix, is known to be no weight of the part."""
        return bool(self.decoration) and re.fullmatch(self.decoration, name) is not None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a model: a folder of this name, and the part's name in memory.

    The first of `classes` loads it; `config.json` may name the others too. `config` lists the files next to the weights
    as alternatives: all files of one alternative must exist. `in_checkpoint`: a checkpoint contains it. `place` is how
    a user names another one. A file without a `config.json` has the sizes of the part `sizes_of`. `advice` says what to
    do if the part is missing.
    """

    name: str
    label: str
    description: str
    classes: tuple[str, ...]
    config: tuple[tuple[str, ...], ...] = (("config.json",),)
    weights: Weights | None = None
    in_checkpoint: bool = False
    need: Need = "always"
    place: Place | None = None
    sizes_of: str = ""
    advice: str = ""

    @property
    def may_lie_apart(self) -> bool:
        """Whether a user may name another one, or it may be next to a checkpoint in its own folder or file."""
        return self.place is not None

    @property
    def may_be_a_file(self) -> bool:
        """Whether its weights may be one file; its sizes are then in the config folder."""
        return self.in_checkpoint or (self.place is not None and not self.place.folder_of)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A number in a part's `config.json` that must equal another part's; `assumed` is used if that part lacks it.

    `sentence` words the fault from the two numbers. `weight` is the checkpoint's weight with this number of columns.
    """

    part: str
    value: str
    other: str
    other_value: str
    sentence: Callable[[int, int], str]
    assumed: int | None = None
    weight: str = ""

    def found_in(self, shapes: Mapping[str, tuple[int, ...]]) -> int | None:
        """The number according to a checkpoint's shapes; None if they do not say."""
        shape = shapes.get(self.weight, ()) if self.weight else ()
        return shape[1] if len(shape) > 1 else None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A family's single-file layout: its kind, and a pattern of entries that no part uses and nothing needs."""

    kind: Kind
    decoration: str


@dataclass(frozen=True, slots=True)
class Added:
    """Files that change a model's weights or words: where they are named and their kind.

    `must_show`: the names in such a file always tell its kind.
    """

    place: Place
    kind: Kind
    must_show: bool = True


@dataclass(frozen=True, slots=True)
class Control:
    """A part that steers the pictures, and the kind of control picture it gets."""

    part: str
    picture: str


@dataclass(frozen=True, slots=True)
class Family:
    """A model family.

    `kinds` are the kinds of its files; a file of several kinds is named after the first. `places` are what a user may
    give, in the order in which they are offered. `latent_factor` is the number of pixels along each side of a latent
    cell, `prompt_width` the width of its prompt vectors; a model may have its own. Raises ValueError for a declaration
    that contradicts itself.
    """

    name: str
    label: str
    description: str
    accepted: str
    parts: tuple[Part, ...]
    places: tuple[Place, ...]
    kinds: tuple[Kind, ...]
    latent_channels: int
    latent_factor: int
    prompt_width: int
    checkpoint: Checkpoint | None = None
    added: tuple[Added, ...] = ()
    controls: tuple[Control, ...] = ()
    agreements: tuple[Agreement, ...] = ()

    def __post_init__(self) -> None:
        used = [part.place for part in self.parts if part.place] + [added.place for added in self.added]
        kinds = [part.weights.kind for part in self.parts if part.weights] + [added.kind for added in self.added]
        names = {part.name for part in self.parts}
        named = [one for pair in self.agreements for one in (pair.part, pair.other)]
        named += [control.part for control in self.controls] + [part.sizes_of for part in self.parts if part.sizes_of]
        faults = (
            *(f"the place {place.name}" for place in used if place not in self.places),
            *(f"the kind {kind.name}" for kind in kinds if kind not in self.kinds),
            *(f"the part {part}" for part in named if part not in names),
        )
        if faults:
            raise ValueError(f"The model family {self.name} uses and does not list {', '.join(faults)}.")

    @property
    def own_parts(self) -> tuple[Part, ...]:
        """The parts that a checkpoint holds."""
        return tuple(part for part in self.parts if part.in_checkpoint)

    @property
    def apart(self) -> tuple[Part, ...]:
        """The parts with weights that no checkpoint contains: each in its own folder or file."""
        return tuple(part for part in self.parts if part.may_lie_apart and not part.in_checkpoint)

    @property
    def beside(self) -> tuple[Part, ...]:
        """The parts without weights, in folders next to a checkpoint."""
        return tuple(part for part in self.parts if not part.weights)

    def part(self, name: str) -> Part:
        """The part of that name. Raises KeyError."""
        return {part.name: part for part in self.parts}[name]

    def unused_entries(self, names: Iterable[str]) -> list[str]:
        """The entries of a checkpoint that no part uses and that are not known leftovers."""
        prefixes = tuple(part.weights.prefix for part in self.own_parts if part.weights)
        decoration = self.checkpoint.decoration if self.checkpoint else ""
        return sorted(name for name in names if not name.startswith(prefixes) and not re.fullmatch(decoration, name))
