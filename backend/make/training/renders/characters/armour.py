"""Characters in metal and plastic: robot, astronaut, knight, trooper."""

from __future__ import annotations

import numpy as np

from backend.make.training.renders.characters.look import BLACK, GOLD, STEEL, WHITE, Character, Look
from backend.make.training.renders.clothes import CHEST_JOINT, HEAD_JOINT, Cloth, box, skirt, sphere
from backend.make.training.renders.figure import Landmarks, Mesh
from backend.make.training.renders.paint import Painter, darker


def _robot(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main, 0.8)
    joint = darker(k.main, 0.28)
    p.fill(
        p.knees(0.075) | p.elbows(0.065) | p.belt(0.13) | (p.body & (p.y > m.neck - 0.02) & ~p.head & (p.side < 0.1)),
        joint,
        0.4,
    )
    p.fill(p.hands | p.feet, joint, 0.4)
    p.fill(p.torso & p.front & (p.side < 0.12) & (np.abs(p.y - m.chest - 0.02) < 0.08), k.accent, 0.3, 0.7)
    head = p.cloth(Cloth.HEADGEAR)
    p.fill(head, k.main, 0.9)
    front = head & (p.z > m.head_centre[2] + 0.06)
    p.fill(front & (np.abs(p.y - m.eyes) < 0.045) & (p.side < 0.105), (0.04, 0.05, 0.07), 0.6)
    p.fill(front & ((p.side - 0.055) ** 2 + (p.y - m.eyes) ** 2 < 0.034**2), k.accent, 0.2, 1.0)
    p.fill(p.cloth(Cloth.EXTRA), k.accent, 0.4, 0.6)


def _robot_dress(m: Landmarks, k: Look) -> list[Mesh]:
    half = (m.head_radius * 1.08, m.head_radius * 1.05, m.head_radius * 1.1)
    parts = [box(m.head_centre, half, HEAD_JOINT, Cloth.HEADGEAR)]
    top = m.head_centre + np.array([0, m.head_radius * 1.05 + 0.05, 0], np.float32)
    parts.append(box(top, (0.014, 0.06, 0.014), HEAD_JOINT, Cloth.HEADGEAR))
    parts.append(sphere(top + np.array([0, 0.07, 0], np.float32), (0.034, 0.034, 0.034), HEAD_JOINT, Cloth.EXTRA))
    return parts


def _astronaut(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main, 0.1)
    p.fill(p.gloves(0.15) | p.boots(0.35), darker((0.6, 0.62, 0.66), 0.8), 0.1)
    p.fill(p.arms & (np.abs(p.side - 0.5 * (m.shoulder_x + m.elbow_x)) < 0.045), k.accent)
    p.fill(p.legs & (np.abs(p.y - 0.5 * (m.hip + m.knee)) < 0.05), k.accent)
    p.fill(p.torso & p.front & (p.side < 0.10) & (np.abs(p.y - m.chest) < 0.07), (0.35, 0.38, 0.45), 0.2)
    p.fill(p.belt(0.06), (0.5, 0.52, 0.56))
    helmet = p.cloth(Cloth.HEADGEAR)
    p.fill(helmet, k.main, 0.7)
    visor = helmet & (p.z > m.head_centre[2] + 0.03) & (np.abs(p.y - m.eyes + 0.01) < 0.085) & (p.side < 0.13)
    tint = GOLD if k.dice[0] < 0.8 else (0.08, 0.12, 0.30)
    p.fill(visor, tint, 1.0)
    p.fill(p.cloth(Cloth.PACK), darker(k.main, 0.8), 0.1)


def _astronaut_dress(m: Landmarks, k: Look) -> list[Mesh]:
    r = m.head_radius * 1.42
    pack = np.array([0, m.chest - 0.02, m.joints[9, 2] - 0.19], np.float32)
    return [
        sphere(m.head_centre, (r, r, r), HEAD_JOINT, Cloth.HEADGEAR),
        box(pack, (0.15, 0.21, 0.09), CHEST_JOINT, Cloth.PACK),
    ]


def _knight(p: Painter, k: Look) -> None:
    m = p.marks
    steel = darker(STEEL, 0.8 + 0.5 * k.dice[0])
    p.fill(p.body, steel, 1.0)
    p.fill(p.knees(0.03) | p.elbows(0.03), darker(steel, 0.4), 0.3)
    p.fill(p.torso & (p.side < 0.17) & (p.y < m.neck - 0.03), k.main)
    emblem = (
        p.torso
        & p.front
        & (
            ((p.side < 0.026) & (np.abs(p.y - m.chest) < 0.11))
            | ((p.side < 0.085) & (np.abs(p.y - m.chest - 0.025) < 0.026))
        )
    )
    p.fill(emblem, WHITE if sum(k.main) < 2.0 else (0.8, 0.1, 0.1))
    p.fill(p.cloth(Cloth.SKIRT), k.main)
    p.fill(p.belt(0.05), (0.25, 0.15, 0.08))
    helmet = p.cloth(Cloth.HEADGEAR)
    p.fill(helmet | p.head, steel, 1.0)
    slit = helmet & (p.z > m.head_centre[2]) & (np.abs(p.y - m.eyes) < 0.022) & (p.side < 0.11)
    p.fill(slit, BLACK)
    p.fill(p.cloth(Cloth.EXTRA), k.main)


def _knight_dress(m: Landmarks, k: Look) -> list[Mesh]:
    r = m.head_radius
    plume = m.head_centre + np.array([0, r * 1.25, -0.05], np.float32)
    return [
        sphere(m.head_centre, (r * 1.1, r * 1.25, r * 1.15), HEAD_JOINT, Cloth.HEADGEAR),
        sphere(plume, (0.035, 0.09, 0.13), HEAD_JOINT, Cloth.EXTRA),
        skirt(m, 0.42, 0.08),
    ]


def _trooper(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main, 0.7)
    p.fill(p.knees(0.06) | p.elbows(0.06) | p.belt(0.12) | p.hands, BLACK, 0.2)
    p.fill((p.torso | p.arms) & (np.abs(p.side - m.shoulder_x + 0.02) < 0.022), BLACK)
    p.fill(p.body & (p.y > m.neck - 0.03) & ~p.head & (p.side < 0.11), BLACK)
    p.fill(p.legs & (np.abs(p.y - m.ankle - 0.04) < 0.025), BLACK)
    helmet = p.cloth(Cloth.HEADGEAR)
    p.fill(helmet | p.head, k.main, 0.8)
    front = helmet & (p.z > m.head_centre[2] - 0.01)
    p.fill(front & (np.abs(p.y - m.eyes + 0.005) < 0.032) & (p.side < 0.12), BLACK, 0.8)
    p.fill(front & (np.abs(p.y - m.eyes + 0.095) < 0.02) & (p.side < 0.05), BLACK)


def _trooper_dress(m: Landmarks, k: Look) -> list[Mesh]:
    r = m.head_radius
    return [sphere(m.head_centre, (r * 1.12, r * 1.2, r * 1.18), HEAD_JOINT, Cloth.HEADGEAR)]


ARMOUR: dict[str, Character] = {
    "robot": Character(_robot, _robot_dress, ("silver",), accents=("turquoise", "turquoise", "red", "green")),
    "astronaut": Character(_astronaut, _astronaut_dress, ("white",), accents=("red", "blue", "orange")),
    "knight": Character(_knight, _knight_dress, ("red", "blue")),
    "trooper": Character(_trooper, _trooper_dress, ("white",)),
}
