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
"""When a model cannot do without a part: always, only as a folder (a checkpoint goes without), or never."""

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
    """What a user may name beside a model: a field of `ModelFiles`, of the preferences, and of the command line.

    `role` is what error messages call it; `help` is for the command line, `label` and `description` for the
    preferences, `accepted` for the manual. `folder_of` says what the folder must hold where only a folder is taken. A
    place for `most` files, more than one, is a tuple that the preferences do not have.
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

    `prefix` begins their names in a checkpoint; `decoration` is a pattern of entries, without the prefix, that
    trainings and savers leave beside them and nothing needs. `stems` are the names of the files, without suffixes.
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

    The first of `classes` loads it; `config.json` may name the others too. `config` lists the files beside the weights,
    as alternatives of which one must be there as a whole. `in_checkpoint`: a checkpoint holds it. `place` is how a user
    names another one. `sizes_of` is the part whose sizes a file without a `config.json` has. `advice` says what to do
    where the part is missing.
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
        """Whether a user may name another one, or it lies beside a checkpoint in a folder or a file of its own."""
        return self.place is not None

    @property
    def may_be_a_file(self) -> bool:
        """Whether its weights may be one file, whose sizes then lie in the config folder."""
        return self.in_checkpoint or (self.place is not None and not self.place.folder_of)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A number in a part's `config.json` that must be another part's, `assumed` where that one does not say it.

    `sentence` makes the fault's words of the two. `weight` is a weight of the checkpoint whose second side it is.
    """

    part: str
    value: str
    other: str
    other_value: str
    sentence: Callable[[int, int], str]
    assumed: int | None = None
    weight: str = ""

    def found_in(self, shapes: Mapping[str, tuple[int, ...]]) -> int | None:
        """The number that a checkpoint's shapes tell; None where they do not."""
        shape = shapes.get(self.weight, ()) if self.weight else ()
        return shape[1] if len(shape) > 1 else None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A family's layout of one file: its kind, and a pattern of the entries that no part takes and nothing needs."""

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
    """A part that steers the pictures, and the control picture that it is given."""

    part: str
    picture: str


@dataclass(frozen=True, slots=True)
class Family:
    """A model family.

    `kinds` are the kinds of its files, in the order in which a file that is several of them is named. `places` are
    what a user may name, in the order in which it is offered. `latent_factor` is pixels a latent cell along each side,
    `prompt_width` the width of its prompt vectors; a model may have its own. Raises ValueError for a declaration that
    contradicts itself.
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
        """The parts that no checkpoint holds and that have weights: each in a folder or a file of its own."""
        return tuple(part for part in self.parts if part.may_lie_apart and not part.in_checkpoint)

    @property
    def beside(self) -> tuple[Part, ...]:
        """The parts without weights, which lie in folders beside a checkpoint."""
        return tuple(part for part in self.parts if not part.weights)

    def part(self, name: str) -> Part:
        """The part of that name. Raises KeyError."""
        return {part.name: part for part in self.parts}[name]

    def unused_entries(self, names: Iterable[str]) -> list[str]:
        """The entries of a checkpoint that no part takes and that are not known as decoration."""
        prefixes = tuple(part.weights.prefix for part in self.own_parts if part.weights)
        decoration = self.checkpoint.decoration if self.checkpoint else ""
        return sorted(name for name in names if not name.startswith(prefixes) and not re.fullmatch(decoration, name))
