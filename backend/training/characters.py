"""The characters of the training pictures: paint and clothes, with variation from one instance to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from backend.training.clothes import CHEST_JOINT, HEAD_JOINT, Cloth, box, cape, cone_hat, round_hat, skirt, sphere
from backend.training.figure import Landmarks, Mesh
from backend.training.paint import BRIGHT, Painter, Rgb, darker, shade_of, skin_tone

WHITE: Rgb = (0.95, 0.95, 0.95)
BLACK: Rgb = (0.06, 0.06, 0.08)
STEEL: Rgb = (0.62, 0.65, 0.70)
GOLD: Rgb = (0.90, 0.68, 0.15)


@dataclass(frozen=True, slots=True)
class Look:
    """What one instance of a character wears. Numbers in `dice` are uniform in 0..1 and belong to the character."""

    main: Rgb
    second: Rgb
    accent: Rgb
    skin: Rgb
    hair: Rgb
    dice: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Character:
    """How a character is painted, dressed, and coloured when the prompt names no colour."""

    paint: Callable[[Painter, Look], None]
    dress: Callable[[Landmarks, Look], list[Mesh]]
    usual: tuple[str, ...]
    seconds: tuple[str, ...] = BRIGHT
    accents: tuple[str, ...] = ("yellow", "turquoise", "red", "green", "orange")


def random_look(rng: Generator, character: Character, colour: str | None) -> Look:
    """A look whose main colour is `colour`, or one of the character's usual ones."""
    main = colour or str(rng.choice(character.usual))
    second = str(rng.choice([c for c in character.seconds if c != main]))
    accent = str(rng.choice([c for c in character.accents if c not in (main, second)]))
    hair = shade_of(rng, str(rng.choice(["black", "brown", "brown", "orange", "gold", "grey"])))
    dice = tuple(float(v) for v in rng.random(6))
    return Look(shade_of(rng, main), shade_of(rng, second), shade_of(rng, accent), skin_tone(rng), hair, dice)


def _bare(marks: Landmarks, look: Look) -> list[Mesh]:
    return []


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
    if k.dice[0] < 0.5:
        p.fill(p.disc(0, m.chest + 0.02, 0.085), k.accent, 0.3, 0.7)
    else:
        p.fill(p.torso & p.front & (p.side < 0.11) & (np.abs(p.y - m.chest - 0.02) < 0.07), k.accent, 0.3, 0.7)
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
    tint = GOLD if k.dice[0] < 0.6 else (0.08, 0.12, 0.30)
    p.fill(visor, tint, 1.0)
    p.fill(p.cloth(Cloth.PACK), darker(k.main, 0.8), 0.1)


def _astronaut_dress(m: Landmarks, k: Look) -> list[Mesh]:
    r = m.head_radius * 1.42
    pack = np.array([0, m.chest - 0.02, m.joints[9, 2] - 0.19], np.float32)
    return [
        sphere(m.head_centre, (r, r, r), HEAD_JOINT, Cloth.HEADGEAR),
        box(pack, (0.15, 0.21, 0.09), CHEST_JOINT, Cloth.PACK),
    ]


def _superhero(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main, 0.25)
    p.human_face(k.skin, k.hair)
    p.fill(p.trunks() | p.boots(0.7) | p.gloves(0.45), k.second, 0.25)
    p.fill(p.belt(0.05, 0.02), GOLD, 0.4)
    if k.dice[0] < 0.5:
        p.fill(p.torso & p.front & (np.abs(p.x) + np.abs(p.y - m.chest - 0.03) < 0.10), GOLD, 0.2)
    else:
        p.fill(p.disc(0, m.chest + 0.03, 0.085), GOLD, 0.2)
    if k.dice[1] < 0.6:
        band = p.head & (np.abs(p.y - m.eyes) < 0.035) & (p.z > m.head_centre[2] - 0.03)
        p.fill(band, k.second, 0.2)
        p.eyes(WHITE, 0.022)
    p.fill(p.cloth(Cloth.CAPE), k.second, 0.1)


def _superhero_dress(m: Landmarks, k: Look) -> list[Mesh]:
    return [cape(m, 0.75 + 0.25 * k.dice[2], 0.12 + 0.12 * k.dice[3], 0.05 + 0.35 * k.dice[4])]


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


def _skeleton(p: Painter, k: Look) -> None:
    m = p.marks
    bone = k.main if k.dice[1] < 2 else WHITE
    p.fill(p.body, BLACK)
    p.fill(p.head, bone, 0.2)
    p.eyes((0.02, 0.02, 0.03), 0.036, 0.0, 0.042)
    p.fill(p.face & (np.abs(p.x) + np.abs(p.y - m.eyes + 0.05) < 0.02), (0.02, 0.02, 0.03))
    teeth = p.face & (np.abs(p.y - m.eyes + 0.092) < 0.016) & (p.side < 0.045)
    p.fill(teeth & p.bands(p.x, 0.026, 0.25, 0.35), (0.02, 0.02, 0.03))
    ribs = (
        p.torso
        & (p.y > m.waist + 0.03)
        & (p.y < m.neck - 0.03)
        & (p.side < 0.17)
        & p.bands((p.y + 0.15 * p.side).astype(np.float32), 0.092, k.dice[0], 0.55)
    )
    p.fill(ribs | (p.torso & (p.side < 0.028)), bone)
    p.fill(p.torso & (p.y < m.hip + 0.10) & (p.y > m.hip - 0.0) & (p.side < 0.15), bone)
    limb_leg = p.legs & (np.abs(p.side - np.abs(m.joints[1, 0]) - 0.02) < 0.042) & (p.y < m.hip - 0.02)
    limb_arm = p.arms & (np.abs(p.y - m.joints[18, 1]) < 0.026) & (p.side > m.shoulder_x)
    p.fill((limb_leg | limb_arm) & ~p.knees(0.02) & ~p.elbows(0.02), bone)
    p.fill(p.hands | p.feet, bone)


def _clown(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main)
    p.fill(p.body & (p.x < 0), k.second)
    if k.dice[0] < 0.5:
        p.fill(p.body & p.dots(0.16, k.dice[1]) & ~p.head, k.accent)
    p.fill(p.head, WHITE)
    p.eyes(BLACK, 0.026)
    nose = p.head & (p.x**2 + (p.y - m.eyes + 0.045) ** 2 < 0.03**2) & p.face
    p.fill(nose | p.cloth(Cloth.EXTRA), (0.9, 0.08, 0.08), 0.6)
    p.fill(p.face & (np.abs(p.y - m.eyes + 0.095) < 0.016) & (p.side < 0.05), (0.85, 0.1, 0.1))
    p.fill(p.feet, (0.85, 0.1, 0.1), 0.4)
    p.fill(p.hands, WHITE)
    for y in (m.chest + 0.05, m.waist + 0.02):
        p.fill(p.disc(0, y, 0.042), k.accent)
    p.fill(p.cloth(Cloth.HEADGEAR), k.accent)
    p.fill(p.cloth(Cloth.SKIRT), WHITE)


def _clown_dress(m: Landmarks, k: Look) -> list[Mesh]:
    r = m.head_radius
    meshes = [
        sphere(
            m.head_centre + np.array([s * r * 0.95, r * 0.35, -0.03], np.float32),
            (r * 0.72, r * 0.78, r * 0.72),
            HEAD_JOINT,
            Cloth.HEADGEAR,
        )
        for s in (-1.0, 1.0)
    ]
    nose = np.array([0, m.eyes - 0.045, m.face_front + 0.015], np.float32)
    meshes.append(sphere(nose, (0.032, 0.032, 0.032), HEAD_JOINT, Cloth.EXTRA))
    ruff = np.array([0, m.neck + 0.02, m.joints[12, 2] + 0.02], np.float32)
    meshes.append(sphere(ruff, (0.17, 0.035, 0.15), 12, Cloth.SKIRT))
    return meshes


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


def _wizard(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main)
    p.human_face(k.skin, (0.88, 0.88, 0.88))
    p.fill(p.hands, k.skin)
    p.fill(p.feet, (0.3, 0.2, 0.1))
    beard = (0.92, 0.92, 0.92)
    p.fill(p.face & (p.y < m.eyes - 0.06), beard)
    p.fill(p.cloth(Cloth.EXTRA), beard)
    robe = p.cloth(Cloth.SKIRT) | p.torso
    hat = p.cloth(Cloth.HEADGEAR) | p.cloth(Cloth.BRIM)
    p.fill(robe | hat, k.main, 0.05)
    if k.dice[0] < 0.6:
        p.fill((p.cloth(Cloth.SKIRT) | p.cloth(Cloth.HEADGEAR)) & p.dots(0.19, k.dice[1], 0.24), (0.98, 0.85, 0.3))
    p.fill(p.belt(0.06) | (p.cloth(Cloth.SKIRT) & (p.y > m.waist - 0.08)), (0.98, 0.85, 0.3))


def _wizard_dress(m: Landmarks, k: Look) -> list[Mesh]:
    beard = np.array([0, m.chin - 0.05, m.face_front - 0.02], np.float32)
    return [
        *cone_hat(m, 0.36 + 0.1 * k.dice[2], 0.10),
        skirt(m, 0.82, 0.16 + 0.1 * k.dice[3]),
        sphere(beard, (0.07, 0.16, 0.045), HEAD_JOINT, Cloth.EXTRA),
    ]


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


def _alien(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main, 0.3)
    head = p.cloth(Cloth.HEADGEAR)
    p.fill(head, k.main, 0.3)
    dx, dy = p.side - 0.07, p.y - m.eyes - 0.6 * (p.side - 0.07)
    p.fill(head & (p.z > m.head_centre[2]) & ((dx / 0.055) ** 2 + (dy / 0.045) ** 2 < 1), (0.02, 0.02, 0.03), 1.0)
    if k.dice[0] < 0.5:
        p.fill((p.torso & (p.y < m.neck - 0.06)) | p.trunks(), (0.72, 0.75, 0.8), 0.6)
        p.fill(p.belt(0.05), k.accent)
    elif k.dice[0] < 0.8:
        p.fill(p.body & p.dots(0.17, k.dice[1], 0.27), darker(k.main, 0.55))


def _alien_dress(m: Landmarks, k: Look) -> list[Mesh]:
    r = m.head_radius
    centre = m.head_centre + np.array([0, r * 0.25, 0], np.float32)
    return [sphere(centre, (r * 1.35, r * 1.35, r * 1.25), HEAD_JOINT, Cloth.HEADGEAR)]


def _pirate(p: Painter, k: Look) -> None:
    m = p.marks
    shirt = p.torso | p.arms
    p.fill(p.body, k.skin)
    p.fill(shirt, WHITE)
    p.fill(p.torso & p.bands(p.y, 0.12, k.dice[0]), k.main)
    p.fill(p.arms & p.bands(p.side, 0.12, k.dice[1]), k.main)
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


def _santa(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main)
    p.human_face(k.skin, WHITE)
    p.fill(p.face & (p.y < m.eyes - 0.05), WHITE)
    p.fill(p.cloth(Cloth.EXTRA) | p.cloth(Cloth.BRIM), WHITE)
    p.fill(p.boots(0.6) | p.hands, BLACK, 0.3)
    p.fill(p.arms & (np.abs(p.side - m.wrist_x + 0.05) < 0.045), WHITE)
    p.fill(p.torso & p.front & (p.side < 0.035), WHITE)
    p.fill(p.belt(0.09), BLACK, 0.3)
    p.fill(p.cloth(Cloth.SKIRT), k.main)
    p.fill(p.cloth(Cloth.SKIRT) & (p.y < m.waist - 0.27), WHITE)
    p.fill(p.belt(0.09) & p.front & (p.side < 0.05), GOLD, 0.6)
    p.fill(p.cloth(Cloth.HEADGEAR), k.main)


def _santa_dress(m: Landmarks, k: Look) -> list[Mesh]:
    r = m.head_radius
    beard = np.array([0, m.chin - 0.02, m.face_front - 0.03], np.float32)
    hat = cone_hat(m, 0.26, 0.02)
    return [
        hat[0],
        sphere(
            np.array([0, m.eyes + 0.06, m.head_centre[2]], np.float32),
            (r * 1.05, 0.035, r * 1.05),
            HEAD_JOINT,
            Cloth.BRIM,
        ),
        sphere(np.array([0, m.eyes + 0.30, m.head_centre[2]], np.float32), (0.05, 0.05, 0.05), HEAD_JOINT, Cloth.EXTRA),
        sphere(beard, (0.10, 0.13, 0.06), HEAD_JOINT, Cloth.EXTRA),
        skirt(m, 0.34, 0.10),
    ]


CHARACTERS: dict[str, Character] = {
    "robot": Character(_robot, _robot_dress, ("silver", "silver", "grey", "blue", "gold")),
    "astronaut": Character(
        _astronaut, _astronaut_dress, ("white", "white", "white", "orange"), accents=("red", "blue", "orange")
    ),
    "superhero": Character(
        _superhero,
        _superhero_dress,
        ("red", "blue", "green", "purple", "black"),
        ("red", "blue", "yellow", "purple", "green"),
    ),
    "ninja": Character(_ninja, _bare, ("black", "black", "blue"), accents=("red", "yellow", "orange", "turquoise")),
    "skeleton": Character(_skeleton, _bare, ("white",)),
    "clown": Character(_clown, _clown_dress, BRIGHT),
    "firefighter": Character(_firefighter, _firefighter_dress, ("black", "brown", "gold")),
    "knight": Character(_knight, _knight_dress, ("red", "blue", "white", "green", "purple")),
    "wizard": Character(_wizard, _wizard_dress, ("blue", "purple", "blue", "grey")),
    "ballerina": Character(_ballerina, _ballerina_dress, ("pink", "white", "turquoise", "purple")),
    "alien": Character(_alien, _alien_dress, ("green", "green", "turquoise", "grey")),
    "pirate": Character(_pirate, _pirate_dress, ("red", "blue", "black")),
    "trooper": Character(_trooper, _trooper_dress, ("white",)),
    "cowboy": Character(_cowboy, _cowboy_dress, ("brown", "brown", "black"), ("red", "white", "blue", "yellow")),
    "footballer": Character(_footballer, _bare, ("red", "blue", "yellow", "green", "white")),
    "santa": Character(_santa, _santa_dress, ("red",)),
}
