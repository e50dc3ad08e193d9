"""The real extracts, which are not part of the project: the tests that measure on them find them beside it.

CHURN_REAL_DATA names their folder. If it is set and they are not there, those tests fail; if it is not set
and they are not beside the checkout, the tests are skipped.
"""

import os
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("CHURN_REAL_DATA") or Path(__file__).parents[3] / "shared/data/technova")
IS_EXPECTED = bool(os.environ.get("CHURN_REAL_DATA")) or REAL_DATA.is_dir()

needs_real_data = pytest.mark.skipif(not IS_EXPECTED, reason=f"the real extracts are not in {REAL_DATA}")
