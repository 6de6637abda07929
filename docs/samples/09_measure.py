"""How still the body's details hold in the frames of a result; `latentman eval DIR` prints all figures.

python docs/samples/09_measure.py OUTPUT
"""

import sys
from pathlib import Path

from backend.measure.metrics.consistency import consistency, consistency_matches
from backend.measure.report.result_folder import ResultFolder

folder = ResultFolder.open(Path(sys.argv[1]))
passes = folder.passes()
matches = consistency_matches(passes, folder.result.height, folder.result.width, lags=(1,), assignment_lags=(1,))
for entry in folder.result.methods:
    figures = consistency(folder.compared(folder.pictures(entry)), passes, matches)
    print(
        f"{entry.method}: change on the surface {figures.surface[0].mean:.1f}, sharpness {figures.sharpness.mean:.1f}"
    )
