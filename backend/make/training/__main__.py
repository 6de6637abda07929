"""`python -m backend.make.training ...`"""

from __future__ import annotations

import sys

from backend.make.training.cli import main

if __name__ == "__main__":
    sys.exit(main())
