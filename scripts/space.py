"""Write the repository of a Hugging Face Space: the recipe of the image, the Bento, and a README."""

import argparse
import shutil
import string
import sys
import tempfile
from pathlib import Path

from churn import __version__
from churn.delivery.contents import objections
from scripts.image import BENTO, PROJECT, ImageError, unpack

README = PROJECT / "deploy" / "space" / "README.md"
_KEPT = {".git", ".gitattributes"}  # of a clone


class SpaceError(Exception):
    """The folder is in use, or something must not travel."""


def write(bento: Path, out: Path, *, ui: bool) -> None:
    """Write a Space's repository to a folder: a new one, an empty one, or one that this has written before.

    Raises:
        SpaceError: the folder holds something else, or something in it must not travel.
        ImageError: there is no Bento.
    """
    if not _is_free(out):
        raise SpaceError(f"{out} holds something else: name a new folder, or one of a Space")
    with tempfile.TemporaryDirectory() as name:
        made = Path(name, "space")
        unpack(bento, made, ui=ui)
        text = string.Template(README.read_text(encoding="utf-8"))
        (made / "README.md").write_text(
            text.substitute(model=_model(made), version=__version__), encoding="utf-8"
        )
        if found := objections(made):
            raise SpaceError("nothing is written: " + "; ".join(found))
        out.mkdir(parents=True, exist_ok=True)
        for entry in out.iterdir():
            if entry.name in _KEPT:
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        shutil.copytree(made, out, dirs_exist_ok=True)


def _is_free(folder: Path) -> bool:
    """Return whether a folder may be written to."""
    if not folder.exists():
        return True
    readme = folder / "README.md"
    if folder.is_dir() and readme.is_file():
        return "\nsdk: docker\n" in readme.read_text(encoding="utf-8", errors="replace")
    return folder.is_dir() and not any(folder.iterdir())


def _model(folder: Path) -> str:
    """Return the tag of the model in an unpacked Bento."""
    [model] = [path for path in (folder / "models" / "churn").iterdir() if path.is_dir()]
    return f"churn:{model.name}"


def main() -> int:
    """Write the repository and say what to do with it; or say in a sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bento", type=Path, default=BENTO)
    parser.add_argument("--ui", action="store_true", help="with the page of Gradio's")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        write(options.bento, options.out, ui=options.ui)
    except (ImageError, SpaceError, OSError) as error:
        print(f"space: {error}", file=sys.stderr)
        return 1
    print(f"{options.out} holds a Space: churn deploy space OWNER/NAME --from {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
