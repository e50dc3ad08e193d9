"""The process of a look: `python -m churn.monitoring.look_process`.

A worker starts it with a pickled `Look` on its standard input, and reads the pickled report, or the error,
from its standard output.
"""

import os
import pickle
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress

from churn.core.errors import ChurnError
from churn.database.engine import make_engine
from churn.monitoring.look_apart import Look
from churn.monitoring.oversight_monitor import OversightMonitor
from churn.monitoring.performance_monitor import PerformanceMonitor
from churn.monitoring.weekly import WeeklyMonitor

NICE = 5  # calls come first, as with large batches
MONITORS: Mapping[str, type[PerformanceMonitor] | type[OversightMonitor] | type[WeeklyMonitor]] = {
    "performance": PerformanceMonitor,
    "oversight": OversightMonitor,
    "weekly": WeeklyMonitor,
}


def main() -> None:
    """Look, and write what is seen."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the worker waits for the look
    os.nice(NICE)
    look: Look = pickle.load(sys.stdin.buffer)  # noqa: S301 - the worker's own
    report: object
    try:
        engine = make_engine(look.url, pool_size=1, identity=look.identity)
        try:
            report = MONITORS[look.of](engine, look.dictionary).look(look.query, look.tag, look.language)
        finally:
            engine.dispose()
    except ChurnError as error:
        report = error
    with suppress(BrokenPipeError):
        pickle.dump(report, sys.stdout.buffer)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
