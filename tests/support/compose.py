"""What `deploy/compose.yaml` gives its services: settings, and secrets that `deploy/secrets.sh` makes."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from harness.servers import PROJECT

DEPLOY = PROJECT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SECRET = "/run/secrets/"


def make_secrets(folder: Path) -> Path:
    """Have secrets made in a folder, and return the folder that they are in."""
    secrets = folder / "secrets"
    subprocess.run(["sh", DEPLOY / "secrets.sh", secrets], check=True, capture_output=True)
    return secrets


def settings_of(service: str, secrets: Path) -> dict[str, str]:
    """Return a service's variables where the shell sets none, with secrets in a folder of this machine."""
    variables: dict[str, str] = COMPOSE["services"][service]["environment"]
    return {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace(SECRET, f"{secrets}/")
        for name, value in variables.items()
    }
