"""Characters from the street and the stage: ninja, firefighter, ballerina, pirate, cowboy, footballer."""

from __future__ import annotations

import numpy as np

from backend.make.training.renders.characters.look import BLACK, WHITE, Character, Look, bare
from backend.make.training.renders.clothes import HEAD_JOINT, Cloth, round_hat, skirt, sphere
from backend.make.training.renders.figure import Landmarks, Mesh
from backend.make.training.renders.paint import Painter, darker


def _ninja(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main)
    p.fill(p.head & (np.abs(p.y - m.eyes) < 0.035) & (p.z > m.head_centre[2] + 0.01), k.skin)
    p.eyes(BLACK, 0.022)
    p.fill(p.head & (np.abs(p.y - m.eyes - 0.065) < 0.026), k.accent)
    p.fill(p.belt(0.08), k.accent)
    p.fill(p.gloves(0.5) | p.boots(0.55), darker(k.main, 0.45) if sum(k.main) > 0.9 else (0.22, 0.22, 0.26))
    if k.dice[0] < 0.5:
        sash = p.torso & (np.abs(p.x * 0.8 + (p.y - m.chest)) < 0.04)
        p.fill(sash, k.accent)


def _firefighter(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main)
    p.human_face(k.skin, k.hair)
    stripe = (0.95, 0.95, 0.25) if sum(k.main) < 1.7 or k.main[2] > 0.5 else (0.85, 0.88, 0.92)
    p.fill(p.torso & (np.abs(p.y - m.chest + 0.03) < 0.035), stripe, 0.0, 0.25)
    p.fill(p.arms & (np.abs(p.side - 0.5 * (m.wrist_x + m.elbow_x)) < 0.04), stripe, 0.0, 0.25)
    p.fill(p.legs & (np.abs(p.y - 0.5 * (m.ankle + m.knee)) < 0.045), stripe, 0.0, 0.25)
    p.fill(p.belt(0.07), stripe, 0.0, 0.25)
    p.fill(p.hands | p.boots(0.2), BLACK)
    helmet = p.cloth(Cloth.HEADGEAR) | p.cloth(Cloth.BRIM)
    p.fill(helmet, (0.85, 0.10, 0.08) if k.dice[0] < 0.6 else (0.95, 0.8, 0.1), 0.6)


def _firefighter_dress(m: Landmarks, k: Look) -> list[Mesh]:
    return round_hat(m, 0.14, 0.075, -0.02)


def _ballerina(p: Painter, k: Look) -> None:
    p.fill(p.body, k.skin)
    p.human_face(k.skin, k.hair)
    p.fill(p.torso & (p.y < p.marks.neck - 0.09), k.main, 0.2)
    p.fill(p.trunks() & p.torso, k.main, 0.2)
    p.fill(p.boots(0.15), k.main, 0.3)
    p.fill(p.legs & ~p.boots(0.15), WHITE if k.dice[0] < 0.4 else k.skin)
    p.fill(p.cloth(Cloth.SKIRT), k.main, 0.1)
    p.fill(p.cloth(Cloth.HEADGEAR), k.hair)


def _ballerina_dress(m: Landmarks, k: Look) -> list[Mesh]:
    bun = m.head_centre + np.array([0, m.head_radius * 0.95, -0.05], np.float32)
    return [skirt(m, 0.24 + 0.2 * k.dice[1], 0.26), sphere(bun, (0.06, 0.06, 0.06), HEAD_JOINT, Cloth.HEADGEAR)]


def _pirate(p: Painter, k: Look) -> None:
    m = p.marks
    shirt = p.torso | p.arms
    p.fill(p.body, k.skin)
    p.fill(shirt, WHITE)
    p.fill(p.torso & p.bands(p.y, 0.13, 0.0), k.main)
    p.fill(p.arms & p.bands(p.side, 0.13, 0.0), k.main)
    p.fill(p.trousers(0.4), (0.15, 0.13, 0.16))
    p.fill(p.boots(0.65), (0.36, 0.2, 0.1), 0.2)
    p.fill(p.belt(0.09), k.accent)
    p.human_face(k.skin, k.hair)
    p.fill(p.face & (p.y < m.eyes - 0.06), k.hair)
    p.fill(p.face & ((p.x - 0.036) ** 2 + (p.y - m.eyes) ** 2 < 0.034**2), BLACK)
    hat = p.cloth(Cloth.HEADGEAR) | p.cloth(Cloth.BRIM)
    p.fill(hat, (0.10, 0.09, 0.12))
    skull = hat & (p.z > m.head_centre[2]) & (p.x**2 + (p.y - m.eyes - 0.11) ** 2 < 0.04**2)
    p.fill(skull, WHITE)


def _pirate_dress(m: Landmarks, k: Look) -> list[Mesh]:
    return round_hat(m, 0.13, 0.11, 0.09)


def _cowboy(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.second)
    p.human_face(k.skin, k.hair)
    p.fill(p.hands, k.skin)
    p.fill(p.trousers(), (0.20, 0.30, 0.55))
    p.fill(p.torso & (p.side > 0.055) & (p.side < 0.19) & (p.y > m.waist - 0.06), k.main)
    p.fill(p.torso & ~p.front & (p.y > m.waist - 0.06) & (p.side < 0.19), k.main)
    p.fill(p.boots(0.45), (0.33, 0.18, 0.08), 0.2)
    p.fill(p.belt(0.06), (0.25, 0.14, 0.06))
    p.fill((p.torso | p.head) & (np.abs(p.y - m.neck) < 0.045) & (p.side < 0.09), (0.85, 0.12, 0.10))
    hat = p.cloth(Cloth.HEADGEAR) | p.cloth(Cloth.BRIM)
    p.fill(hat, k.main)
    p.fill(p.cloth(Cloth.HEADGEAR) & (p.y < m.eyes + 0.085), darker(k.main, 0.4))


def _cowboy_dress(m: Landmarks, k: Look) -> list[Mesh]:
    return round_hat(m, 0.15, 0.13, 0.03)


def _footballer(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.skin)
    p.human_face(k.skin, k.hair)
    jersey = p.torso | (p.arms & (p.side < 0.5 * (m.shoulder_x + m.elbow_x) + 0.06))
    p.fill(jersey, k.main)
    if k.dice[0] < 0.4:
        p.fill(jersey & p.bands(p.x, 0.15, 0.25), WHITE if sum(k.main) < 2.2 else k.second)
    else:
        p.fill(p.torso & (p.side < 0.03) & (np.abs(p.y - m.chest) < 0.10), WHITE if sum(k.main) < 2.2 else BLACK)
    shorts = (p.torso | p.legs) & (p.y < m.waist - 0.04) & (p.y > 0.5 * (m.hip + m.knee))
    p.fill(shorts, WHITE if k.dice[1] < 0.5 else darker(k.main, 0.35))
    p.fill(p.boots(0.75), k.main)
    p.fill(p.feet, BLACK, 0.3)


PEOPLE: dict[str, Character] = {
    "ninja": Character(_ninja, bare, ("black",), accents=("red", "red", "yellow", "turquoise")),
    "firefighter": Character(_firefighter, _firefighter_dress, ("black",)),
    "ballerina": Character(_ballerina, _ballerina_dress, ("pink", "pink", "white")),
    "pirate": Character(_pirate, _pirate_dress, ("red",), accents=("yellow", "green", "blue")),
    "cowboy": Character(_cowboy, _cowboy_dress, ("brown",), ("red", "white", "blue")),
    "footballer": Character(_footballer, bare, ("red", "blue")),
}
