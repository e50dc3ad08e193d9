"""Proxies: whose word about where a caller comes from is taken."""

import os

SETTING = "CHURN_TRUSTED_PROXIES"


def trust_only_configured() -> None:
    """Have uvicorn believe `X-Forwarded-For` and `-Proto` of the configured proxies alone.

    By itself it believes any program on this machine. Called before BentoML configures it, which is after
    the service's import; from the environment, as there are no settings by then (a start checks them).
    """
    found = os.environ.get(SETTING, "").replace(",", " ").split()
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(found)
