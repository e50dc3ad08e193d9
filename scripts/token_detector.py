"""For detect-secrets, which knows many services' secrets but not ours: the tokens of `churn token issue`."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class ChurnTokenDetector(RegexBasedDetector):
    """Finds `churn_`, 64 hexadecimal digits and 8 more, wherever they stand."""

    secret_type = "churn token"  # noqa: S105 - the kind's name
    denylist = (re.compile(r"\bchurn_[0-9a-f]{72}\b"),)
