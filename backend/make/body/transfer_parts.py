"""Parts and charts for a body that comes without them, such as a user's own SMPL file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.make.body.charts import make_charts
from backend.make.body.parts import assign_parts
from shared.body import Body


def transfer_parts(body: Body) -> Body:
    """The same body with `part` and `chart_uv`, made as the free body's are; `quads` stay as they are.

    SMPL's skin weights say which limb a triangle belongs to and the T-pose's surface says which side of it, so any
    mesh with SMPL's 24 joints can be cut the same way. It takes about a minute for a mesh of 20,000 triangles.
    """
    vertices = body.v_template.astype(np.float64)
    triangles = body.f.astype(np.int64)
    part = assign_parts(vertices, triangles, body.weights.astype(np.float64))
    return replace(body, part=part, chart_uv=make_charts(vertices, triangles, part))
