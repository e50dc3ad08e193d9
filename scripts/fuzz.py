"""Fuzz a live server by its own OpenAPI document: every route, right and wrong input, every check there is.

python -m scripts.fuzz [--short] [Schemathesis' own options]

The server is a real `bentoml serve` on a database of its own. Exits with 1 where anything was found.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from churn.database import schema
from churn.database.engine import opened
from churn.dictionary.technova import TECHNOVA
from harness.identities import a_token
from harness.servers import PROJECT, bentoml_serve, environment
from harness.trained import train

CONFIG = PROJECT / "tests" / "schemathesis.toml"
# (full, short)
EXAMPLES = (500, 25)
PROXY = "127.0.0.1"
CALLER = "203.0.113.7"  # of the documentation's own network; so that /metrics asks for credentials


def main() -> None:
    """Start a server, let Schemathesis at it, and exit with its verdict."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="briefly, to see that it finds nothing obvious")
    options, others = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as home:
        database = f"sqlite:///{Path(home) / 'fuzz.db'}"
        env = environment(
            BENTOML_HOME=home,
            CHURN_ENV_FILE=os.devnull,
            DATABASE_URL=database,
            CHURN_TRUSTED_PROXIES=PROXY,
        )
        train(Path(home))
        with opened(database) as engine:
            schema.upgrade(engine)
            secret = a_token(engine, "fuzz", scopes=["admin"])
        with bentoml_serve(env) as server:
            # In short the same each time: a build fails for what has changed. Nothing is kept between runs.
            kind = ["--generation-deterministic"] if options.short else ["--generation-database", "none"]
            headers = {"Authorization": f"Bearer {secret}"}
            answer = httpx.post(f"{server.url}/predict", json=TECHNOVA.example, headers=headers, timeout=60)
            command = _command(server.url, secret, EXAMPLES[options.short], [*kind, *others])
            # From there, since Schemathesis leaves files where it is started.
            told = {"PYTHONPATH": str(PROJECT), "FUZZED_PREDICTION": answer.json()["prediction_id"]}
            found = subprocess.run(command, env={**os.environ, **told}, cwd=home, check=False)
    sys.exit(found.returncode)


def _command(url: str, secret: str, examples: int, others: list[str]) -> list[str]:
    return [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", f"{url}/openapi.json"),
        *("--checks", "all", "--max-examples", str(examples), "--continue-on-failure"),
        *("--header", f"Authorization: Bearer {secret}", "--header", f"X-Forwarded-For: {CALLER}"),
        "--no-color",
        *others,
    ]


if __name__ == "__main__":
    main()
