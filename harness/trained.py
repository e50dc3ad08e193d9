"""A model for benchmarks."""

import os
import subprocess
import sys
from pathlib import Path

from harness.servers import PROJECT, environment

# Folds and draws only measure how good the model is: it is fitted on all rows in any case.
QUICKLY = ("--folds", "2", "--repeats", "1", "--resamples", "0")


def train(home: Path, data: Path | None = None) -> None:
    """Train a model for a new BENTOML_HOME on the extracts in a folder; by default, on the sample."""
    source = ("--data", str(data)) if data else ()
    command = [sys.executable, "-m", "churn.cli.main", "train", *QUICKLY, *source]
    env = environment(BENTOML_HOME=str(home), CHURN_ENV_FILE=os.devnull)
    subprocess.run(command, env=env, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
