"""Standing: the weight goes from leg to leg, the head looks about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.make.motion.library.action import Action, Variation
from backend.make.motion.library.stand import smooth_noise, standing
from backend.make.motion.library.timing import action_times, rested
from backend.make.motion.puppet import Controls


def idle(variation: Variation) -> Controls:
    """Stands at home and shifts the weight every few seconds."""
    random = variation.random("idle")
    times = action_times(variation.length(4.0), variation.speed)
    keys, time, side = {0.0: 0.0}, float(random.uniform(0.4, 1.4)), float(random.choice([-1.0, 1.0]))
    while time + 1.2 < times[-1]:
        length = float(random.uniform(0.8, 1.2))
        keys[time] = keys[max(keys)]
        keys[time + length] = side * float(random.uniform(0.25, 0.9)) * 0.05 * variation.amplitude
        time, side = time + length + float(random.uniform(0.5, 2.5)), -side
    controls = standing(len(times), rested(times, keys))
    look = 9.0 * variation.amplitude * smooth_noise(len(times), random, 5.0, 2.5)
    head = controls.head_turn + np.stack([look, 0.3 * np.abs(look), 0.0 * look], axis=1)
    return replace(controls, head_turn=head)


ACTIONS = (
    Action(
        "idle",
        (
            "a person stands", "a person stands still", "someone is standing in place", "a man stands idle",
            "a person waits", "a woman stands and looks around calmly", "the person does nothing", "standing idle",
        ),
        ("a person is just standing there", "a figure waits without moving"),
        idle,
        loops=True,
    ),
)  # fmt: skip
