"""A process of its own for code of ours: what takes long, or much memory, stays out of the workers."""

import os
import subprocess
import sys
from typing import Any

from churn.core.places import python_path


def begin(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start this Python with the code that runs here; `options` are those of Popen."""
    environment = {**os.environ, "PYTHONPATH": python_path()}
    return subprocess.Popen([sys.executable, "-P", *arguments], env=environment, **options)  # noqa: S603
