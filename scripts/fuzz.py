"""Fuzz a live server: its API by the OpenAPI document, with every check there is, and the forms of its pages.

python -m scripts.fuzz [--short] [Schemathesis' own options]

The server is a real `bentoml serve` on a database of its own. Exits with 1 where anything was found.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from churn.database import schema
from churn.database.engine import opened
from churn.dictionary.technova import TECHNOVA
from harness import forms
from harness.identities import a_token, a_user
from harness.servers import PROJECT, bentoml_serve, environment
from harness.trained import train
from scripts import page_forms

CONFIG = PROJECT / "tests" / "schemathesis.toml"
# (full, short)
EXAMPLES = (500, 25)
PROXY = "127.0.0.1"
USER = "fuzz"
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
            CHURN_UI="true",
        )
        train(Path(home))
        with opened(database) as engine:
            schema.upgrade(engine)
            secret = a_token(engine, "fuzz", scopes=["admin"])
            a_user(engine, USER, role="admin")
        with bentoml_serve(env) as server:
            # In short the same each time: a build fails for what has changed. Nothing is kept between runs.
            kind = ["--generation-deterministic"] if options.short else ["--generation-database", "none"]
            headers = {"Authorization": f"Bearer {secret}"}
            answer = httpx.post(f"{server.url}/predict", json=TECHNOVA.example, headers=headers, timeout=60)
            prediction = answer.json()["prediction_id"]
            tokens, job, cookies = _signed_in(server.url)
            pages = Path(home) / "pages.json"
            pages.write_text(json.dumps(page_forms.document(tokens, [prediction, job])), encoding="utf-8")
            number, others = EXAMPLES[options.short], [*kind, *others]
            api = _run(
                home, prediction, f"{server.url}/openapi.json", "all", number, [*_identity(secret), *others]
            )
            ours = [*_header("Cookie", cookies), "--url", server.url, *others]
            shown = _run(home, prediction, str(pages), "not_a_server_error", number, ours)
    sys.exit(api or shown)


def _signed_in(url: str) -> tuple[tuple[str, str], str, str]:
    """Return the tokens of the forms, the id of a job, and the cookies of somebody who has signed in."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as client:
        unknown = forms.token_in(client.get("/sign-in").text)
        known = forms.sign_in(client, USER)
        sent = client.post("/app/file", params={"csrf": known}, files={"file": ("a.csv", b"age\n40\n")})
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        return (unknown, known), sent.url.path.rpartition("/")[2], cookies


def _identity(secret: str) -> list[str]:
    return [*_header("Authorization", f"Bearer {secret}"), *_header("X-Forwarded-For", CALLER)]


def _header(name: str, value: str) -> list[str]:
    return ["--header", f"{name}: {value}"]


def _run(home: str, prediction: str, document: str, checks: str, examples: int, others: list[str]) -> int:
    """Let Schemathesis at what a document describes, and return its verdict."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
        *("run", document),
        *("--checks", checks, "--max-examples", str(examples), "--continue-on-failure"),
        "--no-color",
        *others,
    ]
    # From there, since Schemathesis leaves files where it is started.
    told = {"PYTHONPATH": str(PROJECT), "FUZZED_PREDICTION": prediction}
    return subprocess.run(command, env={**os.environ, **told}, cwd=home, check=False).returncode


if __name__ == "__main__":
    main()
