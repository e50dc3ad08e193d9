"""A worker: BentoML's, without what it does not need, and what it knows of the supervisor that started it."""

import ctypes
import os
import runpy
import signal
import sys

from churn.web.server.unneeded import leave_out_of_worker
from churn.web.worker_marks import SUPERVISOR

BENTOML = "_bentoml_impl.worker.service"  # the module that is BentoML's own worker
SUPERVISED = "churn.supervised:Churn"

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def is_supervised() -> bool:
    """Return whether this process is a worker."""
    return SUPERVISOR in os.environ


def follow() -> None:
    """In a worker, have the system end it when its supervisor dies, by whatever; on Linux alone."""
    if not is_supervised() or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(os.environ[SUPERVISOR]):  # it was quicker
        signal.raise_signal(signal.SIGTERM)


def main() -> None:
    """Be a worker, with the arguments of BentoML's."""
    follow()
    leave_out_of_worker()
    runpy.run_module(BENTOML, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
