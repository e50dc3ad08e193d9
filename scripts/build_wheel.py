"""Build the wheel, with what git does not keep: the vendored scripts of pages, and a model of the sample.

With --model, the model is that one of the store (BENTOML_HOME); without, one is trained.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
VENDORED = Path("churn/web/assets/vendor/manifest.json")
# Beside the package: what it is built from.
BESIDE = ("pyproject.toml", "README.md", "LICENSE", "NOTICE")


def trained(home: Path) -> None:
    """Train and promote a model of the sample in a new store."""
    command = [sys.executable, "-m", "churn.cli.main", "train", "--promote"]
    env = {**os.environ, "BENTOML_HOME": str(home), "CHURN_ENV_FILE": os.devnull}
    subprocess.run(command, cwd=PROJECT, env=env, check=True)


def carry(model: str, store: Path, package: Path) -> None:
    """Put a model of a store (the promoted one, by default) into a copy of the package."""
    # BentoML reads its home when it is imported.
    os.environ["BENTOML_HOME"] = str(store)
    from churn.model import portable  # noqa: PLC0415

    portable.send(model, package / portable.CARRIED.relative_to(PROJECT / "churn"))


def main() -> int:
    """Build the wheel in a copy of the sources, and print where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", metavar="TAG", default="")
    parser.add_argument("--out", type=Path, default=PROJECT / "dist")
    options = parser.parse_args()
    if not (PROJECT / VENDORED).exists():
        print(f"{VENDORED} is missing: run `make assets`", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        sources = Path(name, "sources")
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(PROJECT / "churn", sources / "churn", ignore=ignored)
        for beside in BESIDE:
            shutil.copy(PROJECT / beside, sources)
        store = Path(os.environ["BENTOML_HOME"]) if options.model else Path(name, "home")
        if not options.model:
            trained(store)
        carry(options.model, store, sources / "churn")
        build = [sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", str(options.out)]
        subprocess.run([*build, str(sources)], check=True)
    print(*sorted(options.out.glob("churn-*.whl")), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
