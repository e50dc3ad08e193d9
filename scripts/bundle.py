"""Build the Bento: what serving needs, and one model with its card and report, without its pickle.

The same code and model make the same bytes, but for `creation_time` in bento.yaml: SOURCE_DATE_EPOCH sets it.
"""

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from churn.cli.company import DICTIONARY
from churn.cli.documents import write_documents
from churn.cli.number_options import separator
from churn.cli.setup import prepare_model
from churn.cli.source import Source, source_of
from churn.core import settings
from churn.core.errors import ChurnError
from churn.delivery.contents import contents, objections
from churn.model import portable, registry

PROJECT = Path(__file__).parents[1]
BENTO_FILE = "bento.yaml"

# What BentoML's build sees of this environment: no setting, no credential, no address of an index.
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV")


class BundleError(Exception):
    """There is nothing to bundle, or something in it must not travel."""


def choose(model: str, source: Source) -> str:
    """Return the tag of the model to bundle: the one named, one of this source, or the one that serves.

    Raises:
        ChurnError: there is none, or none could be trained.
    """
    if source.data is not None:
        with source.unpacked() as unpacked:
            prepare_model(settings.load(), unpacked)
    loaded = registry.load(model or settings.load().model, DICTIONARY)
    loaded.self_test.require(loaded.tag)
    return loaded.tag


def build(tag: str, scratch: Path) -> Path:
    """Build the Bento of a model in a store of its own, and return the folder that it is unpacked in."""
    home, folder = scratch / "home", scratch / "bento"
    carried = portable.send(tag, home / "models")
    write_documents(registry.load(tag, DICTIONARY), carried)
    bentofile = scratch / "bentofile.yaml"
    plain = (PROJECT / "bentofile.yaml").read_text(encoding="utf-8")
    bentofile.write_text(plain.replace(f"{registry.NAME}:latest", tag), encoding="utf-8")
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env = {**kept, "BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", "CHURN_ENV_FILE": os.devnull}
    bentoml = [sys.executable, "-m", "bentoml"]
    named = f"{registry.NAME}:unnamed"
    exported = scratch / "exported.tar.gz"
    for command in (
        ["build", "--version", "unnamed", "-f", str(bentofile), str(PROJECT)],
        ["export", named, str(exported)],
    ):
        done = subprocess.run([*bentoml, *command], cwd=PROJECT, env=env, capture_output=True, text=True)
        if done.returncode:
            raise BundleError(f"bentoml {command[0]} failed:\n{done.stdout}{done.stderr}")
    folder.mkdir()
    # By tar: tarfile wants `filter=` in newer Pythons, and does not know it before 3.11.4.
    subprocess.run(["tar", "-xzf", exported, "-C", folder], check=True)  # noqa: S607
    return folder


def name(folder: Path) -> str:
    """Give an unpacked Bento its version, a digest of all that is in it, and its date; return its tag."""
    digest = hashlib.sha256()
    for path in contents(folder):
        if path.name != BENTO_FILE and path.is_file():
            digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    version = digest.hexdigest()[:16]
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    file = folder / BENTO_FILE
    text = file.read_text(encoding="utf-8")
    for key, value in (("version", version), ("creation_time", moment.isoformat(timespec="seconds"))):
        text, count = re.subn(rf"^{key}: .*$", f"{key}: '{value}'", text, count=1, flags=re.MULTILINE)
        if not count:
            raise BundleError(f"{BENTO_FILE} has no {key}: this version of BentoML writes another file")
    file.write_text(text, encoding="utf-8")
    return f"{registry.NAME}:{version}"


def check(folder: Path) -> None:
    """Refuse an unpacked Bento with anything in it that must not travel.

    Raises:
        BundleError: the message names the files, never what is in them.
    """
    if found := objections(folder):
        raise BundleError("the Bento is not written: " + "; ".join(found))


def pack(folder: Path, target: Path) -> None:
    """Write a folder as a tar file, as a whole: readable by everyone, without owners and dates."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    with (
        part.open("wb") as raw,
        gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in contents(folder):
            archive.add(path, str(path.relative_to(folder)), recursive=False, filter=_anonymous)
    part.replace(target)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def main() -> int:
    """Build the Bento and print its tag, model and file; or say in a sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", metavar="TAG", default="", help="by default, the one that serves")
    which.add_argument("--data", type=Path, metavar="DIR", help="one of these extracts, trained if need be")
    parser.add_argument("--dictionary", metavar="NAME|FILE", help="of these extracts; technova by default")
    parser.add_argument("--decimal", choices=(",", "."))
    parser.add_argument("--out", type=Path, default=PROJECT / "dist" / "churn.tar.gz")
    options = parser.parse_args()
    options.out.unlink(missing_ok=True)
    scratch = Path(tempfile.mkdtemp())
    try:
        thousands = separator(options.decimal, None)
        tag = choose(options.model, source_of(options.data, options.dictionary, thousands))
        folder = build(tag, scratch)
        bento = name(folder)
        check(folder)
        pack(folder, options.out)
    except (BundleError, ChurnError, click.UsageError) as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(scratch)
    size = options.out.stat().st_size / 1e6
    print(f"{bento} with model {tag} is in {options.out} ({size:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
