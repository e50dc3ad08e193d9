"""What may travel in a Bento or a Space, and what must not: settings, tests, databases, journals, pickles."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

# Whatever bentofile.yaml says.
_FORBIDDEN_NAME = re.compile(r"\.env.*|\.git|tests?|.*\.(db|sqlite3?|segment|pkl)(-\w+)?", re.IGNORECASE)
_FORBIDDEN_TEXT = re.compile(
    rb"://[^/\s:@]*:[^/\s@]+@|\bchurn_[0-9a-f]{72}\b|\bhf_[0-9A-Za-z]{30,}\b"
)  # in an address; a token of ours; one of the hub's
_PLACEHOLDER = b"://user:password@"  # in the addresses of the docs


def contents(folder: Path) -> Iterator[Path]:
    """Yield everything in a folder, in an order that does not depend on the disk."""
    yield from sorted(folder.rglob("*"))


def objections(folder: Path, secrets: Collection[str] = ()) -> list[str]:
    """Return a clause for each thing in a folder that must not travel; it names the file, never its content.

    `secrets` are texts that no file may hold, whatever they look like.
    """
    found = []
    for path in contents(folder):
        shown = path.relative_to(folder)
        if _FORBIDDEN_NAME.fullmatch(path.name):
            found.append(f"{shown} must not be in it")
        elif path.is_file() and _holds_credential(path.read_bytes(), secrets):
            found.append(f"{shown} holds a credential")
    return found


def _holds_credential(content: bytes, secrets: Collection[str]) -> bool:
    return bool(_FORBIDDEN_TEXT.search(content.replace(_PLACEHOLDER, b""))) or any(
        secret.encode() in content for secret in secrets
    )
