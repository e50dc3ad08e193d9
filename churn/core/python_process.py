"""A process of its own for code of ours: what takes long, or much memory, stays out of the workers."""

import os
import subprocess
import sys
from typing import Any

from churn import PROJECT


def begin(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Start this Python with the code of this checkout; `options` are those of Popen."""
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen([sys.executable, "-P", *arguments], env=environment, **options)  # noqa: S603
