"""The sources whose licences allow a model that ships. A source is a row; none may forbid commercial use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from backend.make.motion.recorded.cmu_maps import read_cmu_maps
from backend.make.motion.recorded.glb import read_glb
from backend.make.motion.recorded.source import Shows, Source
from shared.motion.retarget.bvh import parse_bvh
from shared.motion.retarget.skeleton import SkeletonMotion

CMU_TERMS: Final = "free for research and in products; the clips themselves may not be resold"
CMU_CREDIT: Final = "Data obtained from mocap.cs.cmu.edu; the database was created with funding from NSF EIA-0196217."


def read_bvh_take(path: Path) -> Iterator[tuple[str, SkeletonMotion]]:
    """The one take of a BVH file. Raises MotionError `motion.bvh`."""
    yield "", parse_bvh(path.read_bytes(), name=path.name)


# Their walks, runs, jumps, seats and lying poses are drawn for short limbs and large heads, and are left out.
_KAYKIT: Final = (
    Shows("*/Waving", "wave", side="right"),
    Shows("*/Throw", "throw", side="right"),
    Shows("*/*Attack_Kick", "kick", side="right"),
    Shows("*/*Attack_Punch_A", "box"),
    Shows("*/1H_Melee_Attack_*", "swing_sword", side="right"),
    Shows("*/Melee_1H_Attack_[CS]*", "swing_sword", side="right"),
    Shows("*/2H_Melee_Attack_Chop", "swing_sword"),
    Shows("*/2H_Melee_Attack_S[lt]*", "swing_sword"),
    Shows("*/Melee_2H_Attack_Chop", "swing_sword"),
    Shows("*/Melee_2H_Attack_S[lt]*", "swing_sword"),
    Shows("*/Spellcast_*", "cast_spell"),
    Shows("*/Ranged_Magic_[RS][ahu]*", "cast_spell"),
    Shows("*/Ranged_Magic_Spellcasting_Long", "cast_spell"),
    Shows("*/Idle_B", "idle"),
)

REACTIDLE: Final = Source(
    "ReActIdle",
    "ReActIdle",
    "https://github.com/Enekoassets/ReActIdle",
    "MIT",
    ".bvh",
    read_bvh_take,
    (Shows("acted/*", "idle", piece_s=8.0, every=5), Shows("genuine/*", "idle", piece_s=8.0, every=5)),
)
CMU_ICLONE: Final = Source(
    "IClone-CMU-Mocap",
    "CMU, Character Creator skeleton",
    "https://github.com/DragonForgedTheArtist/IClone-CMU-Mocap",
    CMU_TERMS,
    ".bvh",
    read_bvh_take,
    (
        Shows("*/002_0[12]", "walk", turning="walk_curve"),
        Shows("*/001_01", "jump_forward", part_s=(3.9, 6.0)),
        Shows("*/001_01", "jump_forward", part_s=(11.9, 13.8)),
        Shows("*/001_01", "jump_forward", part_s=(18.0, 21.3)),
        Shows("*/002_03", "jog"),
        Shows("*/002_04", "jump"),
        Shows("*/002_05", "box"),
        Shows("*/002_06", "pick_up", side="right", part_s=(0.0, 2.6)),
        Shows("*/002_06", "pick_up", side="right", part_s=(2.9, 5.6)),
        Shows("*/002_06", "pick_up", side="right", part_s=(5.7, 8.1)),
        Shows("*/002_0[789]", "swing_sword"),
        Shows("*/005_01", "walk", turning="walk_curve"),
        Shows("*/006_01", "walk", turning="walk_curve"),
        Shows("*/007_*", "walk", turning="walk_curve"),
    ),
    skip_frames=2,
    credit=CMU_CREDIT,
)
CMU_MAPS: Final = Source(
    "Convolutional-Sequence-to-Sequence-Model-for-Human-Dynamics",
    "CMU, rotation vectors",
    "https://github.com/chaneyddtt/Convolutional-Sequence-to-Sequence-Model-for-Human-Dynamics",
    CMU_TERMS,
    ".txt",
    read_cmu_maps,
    (
        Shows("*/walking/*", "walk", turning="walk_curve"),
        Shows("*/walking_extra/*", "walk", turning="walk_curve"),
        Shows("*/running/*", "run"),
        Shows("*/train/jumping/*_[1345]", "jump_forward"),
        Shows("*/soccer/*", "kick", side="right", piece_s=9.0),
    ),
    skip_frames=2,
    credit=CMU_CREDIT,
)
KAYKIT: Final = Source(
    "KayKit-Character-Pack-Adventures-1.0",
    "KayKit, adventurers",
    "https://github.com/KayKit-Game-Assets/KayKit-Character-Pack-Adventures-1.0",
    "CC0",
    ".glb",
    read_glb,
    _KAYKIT,
    many_takes=True,
)
KAYKIT_RIG: Final = Source(
    "kaykit_char",
    "KayKit, medium rig",
    "https://github.com/sketchpunklabs/kaykit_char",
    "CC0",
    ".glb",
    read_glb,
    _KAYKIT,
    many_takes=True,
)
SOURCES: Final = (REACTIDLE, CMU_ICLONE, CMU_MAPS, KAYKIT, KAYKIT_RIG)
