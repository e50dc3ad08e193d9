"""File descriptors: each connection takes one, and few systems grant many unasked."""

import sys
from contextlib import suppress

if sys.platform != "win32":
    import resource

ENOUGH = 65_536


def raise_limit() -> None:
    """Let this process open as many files as the system allows it, up to `ENOUGH`; Windows has no limit."""
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # macOS calls it unlimited, and grants less
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
