"""How the threads that compute with tensors wait for their next piece of work: asleep."""

from __future__ import annotations

import os

_POLICY = "OMP_WAIT_POLICY"


def let_threads_sleep() -> None:
    """Have OpenMP's threads sleep while they wait, unless the user's environment says how they wait.

    By default they spin for a while, which holds back whatever else runs on the machine, Blender's drawing and renders
    above all, and each other (`latentman bench waiting`).
    OpenMP reads its environment when it is loaded, so this comes before the import of torch.
    """
    if "GOMP_SPINCOUNT" not in os.environ and "KMP_BLOCKTIME" not in os.environ:
        os.environ.setdefault(_POLICY, "PASSIVE")
