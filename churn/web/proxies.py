"""Proxies: whose word about where a caller comes from is taken."""

import ipaddress
import os
from collections.abc import Iterable

SETTING = "CHURN_TRUSTED_PROXIES"


def trust_only_configured() -> None:
    """Have uvicorn believe `X-Forwarded-For` and `-Proto` of the configured proxies alone.

    By itself it believes any program on this machine. Called before BentoML configures it, which is after
    the service's import; from the environment, as there are no settings by then.
    """
    os.environ["FORWARDED_ALLOW_IPS"] = os.environ.get(SETTING, "")


def check(proxies: Iterable[str]) -> None:
    """Accept addresses and networks; uvicorn would take anything, and then believe nobody.

    Raises:
        ValueError: one is neither.
    """
    for proxy in proxies:
        ipaddress.ip_network(proxy.strip())
