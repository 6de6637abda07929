"""Rotations as axis-angle, unit quaternion (w, x, y, z), matrix and rot6d rows, vectorised over all leading axes.

Every function takes any number of leading axes and returns float64. Angles are radians. A wrong last axis raises
MotionError. Quaternions are Hamilton's; matrices act on column vectors.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .errors import MotionError

Array = npt.NDArray[np.float64]

_TINY = 1e-9  # a shorter vector counts as zero and has no direction


def _checked(values: npt.ArrayLike, tail: tuple[int, ...], name: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim < len(tail) or array.shape[array.ndim - len(tail) :] != tail:
        wanted = ", ".join(("...", *map(str, tail)))
        raise MotionError("motion.wrong_shape", f"{name} must have shape ({wanted}), but has {array.shape}.")
    return array


def normalised(vectors: npt.ArrayLike) -> Array:  # (..., n)
    """Vectors of length 1; a vector without a direction stays zero."""
    array = np.asarray(vectors, dtype=np.float64)
    length = np.linalg.norm(array, axis=-1, keepdims=True)
    result: Array = np.divide(array, length, out=np.zeros_like(array), where=length > _TINY)
    return result


def axis_angle_to_quaternion(axis_angle: npt.ArrayLike) -> Array:  # (..., 3) radians
    """Quaternions (..., 4) with q = (cos(a/2), sin(a/2) n)."""
    vector = _checked(axis_angle, (3,), "Axis-angle")
    half = 0.5 * np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * vector], axis=-1)


def quaternion_to_axis_angle(quaternion: npt.ArrayLike) -> Array:  # (..., 4)
    """Axis-angle (..., 3) with an angle of at most pi."""
    q = normalised(_checked(quaternion, (4,), "Quaternion"))
    q = np.where(q[..., :1] < 0.0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., :1])
    scale = np.divide(angle, sine, out=np.full_like(sine, 2.0), where=sine > _TINY)  # the limit of a / sin(a/2) is 2
    result: Array = scale * q[..., 1:]
    return result


def quaternion_to_matrix(quaternion: npt.ArrayLike) -> Array:  # (..., 4)
    """Rotation matrices (..., 3, 3); the quaternions are normalised first."""
    w, x, y, z = np.moveaxis(normalised(_checked(quaternion, (4,), "Quaternion")), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_to_quaternion(matrix: npt.ArrayLike) -> Array:  # (..., 3, 3)
    """Unit quaternions (..., 4) with w >= 0.

    Each of the four columns of 4 q q^T can be read off the matrix; the one with the largest diagonal is used, so that
    nothing small is divided by (Shepperd, "Quaternion from Rotation Matrix", 1978).
    """
    m = _checked(matrix, (3, 3), "Matrix")
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = np.moveaxis(m.reshape(*m.shape[:-2], 9), -1, 0)
    wx, wy, wz, xy, xz, yz = m21 - m12, m02 - m20, m10 - m01, m10 + m01, m02 + m20, m21 + m12
    outer = [
        [1 + m00 + m11 + m22, wx, wy, wz],
        [wx, 1 + m00 - m11 - m22, xy, xz],
        [wy, xy, 1 - m00 + m11 - m22, yz],
        [wz, xz, yz, 1 - m00 - m11 + m22],
    ]
    columns = np.stack([np.stack(row, axis=-1) for row in outer], axis=-2)  # (..., 4, 4)
    best = np.argmax(np.diagonal(columns, axis1=-2, axis2=-1), axis=-1)
    q = normalised(np.take_along_axis(columns, best[..., None, None], axis=-2)[..., 0, :])
    return np.where(q[..., :1] < 0.0, -q, q)


def axis_angle_to_matrix(axis_angle: npt.ArrayLike) -> Array:  # (..., 3) radians
    """Rotation matrices (..., 3, 3)."""
    return quaternion_to_matrix(axis_angle_to_quaternion(axis_angle))


def matrix_to_axis_angle(matrix: npt.ArrayLike) -> Array:  # (..., 3, 3)
    """Axis-angle (..., 3) radians with an angle of at most pi."""
    return quaternion_to_axis_angle(matrix_to_quaternion(matrix))


def rot6d_rows_to_matrix(rot6d: npt.ArrayLike) -> Array:  # (..., 6)
    """Matrices (..., 3, 3) from their first two rows, made orthonormal by Gram-Schmidt.

    Zhou et al., "On the Continuity of Rotation Representations in Neural Networks", 2019, in the row order that MDM's
    SMPL files have: r00 r01 r02 r10 r11 r12. Rows without two directions raise MotionError.
    """
    values = _checked(rot6d, (6,), "rot6d")
    first = normalised(values[..., :3])
    second = values[..., 3:]
    second = normalised(second - np.sum(first * second, axis=-1, keepdims=True) * first)
    matrix: Array = np.stack([first, second, np.cross(first, second)], axis=-2)
    if matrix.size and np.min(np.abs(np.linalg.det(matrix))) < 0.5:
        raise MotionError("motion.rot6d", "A rot6d rotation has rows of zero length or parallel rows.")
    return matrix


def matrix_to_rot6d_rows(matrix: npt.ArrayLike) -> Array:  # (..., 3, 3)
    """The first two rows of each matrix, (..., 6): r00 r01 r02 r10 r11 r12."""
    m = _checked(matrix, (3, 3), "Matrix")
    return m[..., :2, :].reshape(*m.shape[:-2], 6)


def slerp(start: npt.ArrayLike, end: npt.ArrayLike, amount: npt.ArrayLike) -> Array:
    # start (..., 4), end (..., 4), amount (...) 0..1
    """Quaternions (..., 4) on the shorter great arc (Shoemake, "Animating Rotation with Quaternion Curves", 1985)."""
    a = normalised(_checked(start, (4,), "Quaternion"))
    b = normalised(_checked(end, (4,), "Quaternion"))
    t = np.asarray(amount, dtype=np.float64)[..., None]
    cosine = np.sum(a * b, axis=-1, keepdims=True)
    b = np.where(cosine < 0.0, -b, b)
    # The angle from both chords keeps its precision near 0, where arccos loses half the digits.
    angle = 2.0 * np.arctan2(
        np.linalg.norm(a - b, axis=-1, keepdims=True), np.linalg.norm(a + b, axis=-1, keepdims=True)
    )
    sine = np.sin(angle)
    near = sine < 1e-8
    safe = np.where(near, 1.0, sine)
    weight_a = np.where(near, 1.0 - t, np.sin((1.0 - t) * angle) / safe)
    weight_b = np.where(near, t, np.sin(t * angle) / safe)
    return normalised(weight_a * a + weight_b * b)


def continuous_quaternions(quaternions: npt.ArrayLike) -> Array:  # (frames, ..., 4)
    """The same rotations with signs such that consecutive frames lie in one hemisphere, so that curves do not jump."""
    q = _checked(quaternions, (4,), "Quaternion").copy()
    if q.ndim < 2 or len(q) < 2:
        return q
    turned = np.sum(q[1:] * q[:-1], axis=-1) < 0.0
    q[1:][np.cumsum(turned, axis=0) % 2 == 1] *= -1.0
    return q


def rotation_between(source: npt.ArrayLike, target: npt.ArrayLike) -> Array:  # (..., 3), (..., 3)
    """The smallest rotations (..., 3, 3) that turn the directions `source` into the directions `target`.

    Opposite directions turn half way round an axis perpendicular to `source`; a zero vector gives the identity.
    """
    a, b = np.broadcast_arrays(
        normalised(_checked(source, (3,), "Direction")), normalised(_checked(target, (3,), "Direction"))
    )
    half = a + b
    opposite = (np.sum(half * half, axis=-1, keepdims=True) < 1e-10) & (np.sum(a * a, axis=-1, keepdims=True) > 0.5)
    # q = (a.h, a x h) with h half way between a and b turns a into b.
    h = normalised(half)
    q = np.concatenate([np.sum(a * h, axis=-1, keepdims=True), np.cross(a, h)], axis=-1)
    side = np.eye(3)[np.argmin(np.abs(a), axis=-1)]
    flip = np.concatenate([np.zeros_like(opposite, dtype=np.float64), normalised(np.cross(a, side))], axis=-1)
    q = np.where(opposite, flip, q)
    still = np.sum(q * q, axis=-1, keepdims=True) < 0.25
    return quaternion_to_matrix(np.where(still, np.array([1.0, 0.0, 0.0, 0.0]), q))


def rotation_angle(first: npt.ArrayLike, second: npt.ArrayLike) -> Array:  # (..., 3, 3), (..., 3, 3)
    """Angles (...) radians, 0..pi, between rotations given as matrices."""
    a = _checked(first, (3, 3), "Matrix")
    b = _checked(second, (3, 3), "Matrix")
    return np.asarray(np.linalg.norm(matrix_to_axis_angle(np.swapaxes(a, -1, -2) @ b), axis=-1), dtype=np.float64)
