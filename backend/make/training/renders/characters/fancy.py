"""Characters of tales and fairs: superhero, skeleton, clown, wizard, alien, santa."""

from __future__ import annotations

import numpy as np

from backend.make.training.renders.characters.look import BLACK, GOLD, WHITE, Character, Look, bare
from backend.make.training.renders.clothes import HEAD_JOINT, Cloth, cape, cone_hat, skirt, sphere
from backend.make.training.renders.figure import Landmarks, Mesh
from backend.make.training.renders.paint import Painter


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
        & p.bands((p.y + 0.15 * p.side).astype(np.float32), 0.11, 0.0, 0.55)
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
        p.fill(p.body & p.dots(0.2, 0.0) & ~p.head, k.accent)
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
        p.fill((p.cloth(Cloth.SKIRT) | p.cloth(Cloth.HEADGEAR)) & p.dots(0.24, 0.0, 0.26), (0.98, 0.85, 0.3))
    p.fill(p.belt(0.06) | (p.cloth(Cloth.SKIRT) & (p.y > m.waist - 0.08)), (0.98, 0.85, 0.3))


def _wizard_dress(m: Landmarks, k: Look) -> list[Mesh]:
    beard = np.array([0, m.chin - 0.05, m.face_front - 0.02], np.float32)
    return [
        *cone_hat(m, 0.36 + 0.1 * k.dice[2], 0.10),
        skirt(m, 0.82, 0.16 + 0.1 * k.dice[3]),
        sphere(beard, (0.07, 0.16, 0.045), HEAD_JOINT, Cloth.EXTRA),
    ]


def _alien(p: Painter, k: Look) -> None:
    m = p.marks
    p.fill(p.body, k.main, 0.3)
    head = p.cloth(Cloth.HEADGEAR)
    p.fill(head, k.main, 0.3)
    dx, dy = p.side - 0.07, p.y - m.eyes - 0.6 * (p.side - 0.07)
    p.fill(head & (p.z > m.head_centre[2]) & ((dx / 0.055) ** 2 + (dy / 0.045) ** 2 < 1), (0.02, 0.02, 0.03), 1.0)
    if k.dice[0] < 0.7:
        p.fill((p.torso & (p.y < m.neck - 0.06)) | p.trunks(), (0.72, 0.75, 0.8), 0.6)
        p.fill(p.belt(0.07), k.accent)


def _alien_dress(m: Landmarks, k: Look) -> list[Mesh]:
    r = m.head_radius
    centre = m.head_centre + np.array([0, r * 0.25, 0], np.float32)
    return [sphere(centre, (r * 1.35, r * 1.35, r * 1.25), HEAD_JOINT, Cloth.HEADGEAR)]


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


FANCY: dict[str, Character] = {
    "superhero": Character(
        _superhero,
        _superhero_dress,
        ("red", "blue"),
        ("red", "blue", "yellow"),
    ),
    "skeleton": Character(_skeleton, bare, ("white",)),
    "clown": Character(_clown, _clown_dress, ("yellow", "green", "orange"), ("red", "blue", "purple")),
    "wizard": Character(_wizard, _wizard_dress, ("blue", "blue", "purple")),
    "alien": Character(_alien, _alien_dress, ("green",), accents=("orange", "red", "yellow")),
    "santa": Character(_santa, _santa_dress, ("red",)),
}
