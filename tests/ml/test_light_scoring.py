"""What a web process loads to score, judge and explain stays small."""

import subprocess
import sys

import pytest

SCORING = (
    "banks.ml.artifact",
    "banks.ml.models",
    "banks.ml.evaluation",
    "banks.ml.explanation",
    "banks.ml.thresholds",
    "banks.ml.ensemble",
    "banks.ml.calibration",
    "banks.ml.newton",
    "banks.ml.boosting",
    "banks.ml.training",
)


@pytest.mark.parametrize("module", SCORING)
def test_importing_it_loads_no_heavy_library(module):
    heavy = ("torch", "polars", "sklearn", "pandas")
    program = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr
