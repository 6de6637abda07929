"""The table of motion formats. A new one is a file beside this and a row here; the first that fits a file reads it."""

from __future__ import annotations

from typing import Final

from ...errors import MotionError
from ..reading.clip import Reader
from ..reading.fields import BARE, Fields, as_numbers
from ..reading.rates import RATE_KEYS
from ..reading.shape import SHAPE_KEYS
from .aist import AIST
from .amass import AMASS
from .bvh import BVH
from .edge import EDGE
from .gem import GEM_SMPL, GEM_X
from .gvhmr import GVHMR
from .humanml_vectors import HUMANML_VECTORS
from .hy_motion import HY_MOTION
from .kimodo import KIMODO
from .mdm_results import RESULTS
from .mdm_rotations import RESULTS_ROT, SMPL_PARAMS
from .meshcapade import SCENE, SMPL_FILE
from .motion_x import MOTION_X
from .phalp import PHALP
from .prompthmr import PROMPTHMR
from .tram import TRAM
from .wham import WHAM

# Formats that are told apart by one entry of their own come before those that share theirs.
_TRACKERS: Final = (GVHMR, GEM_X, GEM_SMPL, WHAM, PROMPTHMR, PHALP, TRAM, SMPL_FILE, SCENE)
READERS: Final[tuple[Reader, ...]] = (
    BVH,
    SMPL_PARAMS,
    *_TRACKERS,
    KIMODO,
    HY_MOTION,
    AIST,
    EDGE,
    AMASS,
    MOTION_X,
    HUMANML_VECTORS,
    RESULTS_ROT,
    RESULTS,
)

# How files of these formats end, without what comes before the dot.
SUFFIXES: Final = tuple(sorted({f".{suffix.rsplit('.', 1)[1]}" for reader in READERS for suffix in reader.suffixes}))
# What SMPL's pose numbers, with places or more behind them, come to in a row.
_ROWS_OF_POSES: Final = (66, 69, 72, 75, 82, 85, 156, 159, 165, 168)
_KNOWN: Final = (
    "Known formats: MDM's results.npy, results_rot.npy and smpl_params.npy, joint positions and HumanML3D's features "
    "(.npy), AMASS, Kimodo and HY-Motion (.npz), Motion-X (.npy), MotionLCM, AIST++ and EDGE (.pkl), GVHMR and GEM "
    "(.pt), WHAM, PromptHMR and PHALP (.pkl), TRAM (.npy), Meshcapade's .smpl and .mcs, BVH."
)
# Other kinds of file, by how they begin.
_OTHER_FILES: Final = (
    (b"Kaydara FBX", "an FBX file, which only Import Motion in Blender reads, by the ending .fbx"),
    (b"; FBX", "an FBX file in text form, which Blender does not read"),
    (b"glTF", "a glTF file, which only Import Motion in Blender reads, by the ending .glb"),
    (b"\x89HDF", "an HDF5 file"),
    (b"MATLAB", "a MATLAB file"),
)


def opened_entries() -> frozenset[str]:
    """The entries of an archive that some reader looks at; no other is opened."""
    own = (entry for reader in READERS for entry in (*reader.entries, *reader.rate_keys, *reader.marks))
    return frozenset({*RATE_KEYS, *SHAPE_KEYS, *own} - {BARE})


def skipped_entries() -> frozenset[str]:
    """The entries of a pickled file that no reader looks at, wherever they stand in it; they may be large."""
    return frozenset(entry for reader in READERS for entry in reader.needless) - opened_entries()


def reader_of(fields: Fields) -> Reader:
    """The reader whose marks the file has. Raises MotionError if no reader fits."""
    for reader in READERS:
        if reader.is_mine(fields):
            return reader
    array = as_numbers(fields.entries.get(BARE))
    if array is not None and array.ndim >= 2 and array.shape[-1] in _ROWS_OF_POSES:
        what = f"has {array.shape[-1]} numbers per frame, but no names for them"
        hint = "Save them as .npz: `poses` in radians, `trans` in metres, or positions as (frames, 22, 3)."
        raise MotionError("motion.unknown_format", f"{fields.name} {what}.", hint)
    if array is not None:
        what = f"contains an array of shape {array.shape}, not a motion"
    else:
        keys = ", ".join(map(repr, [*fields.entries, *fields.unopened][:8])) or "nothing"
        what = f"contains no known kind of motion; its entries are {keys}"
    raise MotionError("motion.unknown_format", f"{fields.name} {what}.", _KNOWN)


def not_a_motion_file(name: str, start: bytes) -> MotionError:
    """The error for a file that does not contain arrays; `start` is its first bytes."""
    other = next((what for mark, what in _OTHER_FILES if start.startswith(mark)), None)
    what = "is empty" if not start else "is not a motion file" if other is None else f"is {other}"
    return MotionError("motion.unknown_format", f"{name} {what}.", _KNOWN)
