"""Fetch the scripts of pages that others have written into churn/web/assets/vendor/, with nothing but Python.

They come from the npm registry that this machine is configured to use, in the versions below, and are checked
against their hashes. Nothing is fetched while all files are there as they were written.
"""

import base64
import gzip
import hashlib
import http.client
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

VENDOR = Path(__file__).parents[1] / "churn" / "web" / "assets" / "vendor"
MANIFEST = VENDOR / "manifest.json"
REGISTRY = "https://registry.npmjs.org"  # npm's own default
PATIENCE = 60  # seconds without a byte

# Redoc loads its maker's logo from this host. It shows none where the image is empty.
LOGO, NO_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg", b"data:,"


@dataclass(frozen=True)
class Package:
    """A package of the registry, and what is kept of it: paths in the package and names here."""

    name: str
    version: str
    sha512: str  # of the tarball, as npm writes it
    files: Mapping[str, str]


PACKAGES = (
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        {
            "swagger-ui-bundle.js": "swagger-ui.js",
            "swagger-ui.css": "swagger-ui.css",
            "LICENSE": "swagger-ui.LICENSE.txt",
            "NOTICE": "swagger-ui.NOTICE.txt",
            "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
        },
    ),
    Package(
        "htmx.org",
        "2.0.11",
        "Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        {"dist/htmx.min.js": "htmx.js", "LICENSE": "htmx.LICENSE.txt"},
    ),
    Package(
        "redoc",
        "2.5.4",
        "M6jWhG1qoBnH6TFmzJnstyCZ87HmOY/UzDm78mHiYihEdlV/YcS9ogOo1NlElnJMeLsyxHFe2yFc4sNjHTrABQ==",
        {
            "bundles/redoc.standalone.js": "redoc.js",
            "LICENSE": "redoc.LICENSE.txt",
            "bundles/redoc.standalone.js.LICENSE.txt": "redoc.standalone.js.LICENSE.txt",
        },
    ),
)


def main() -> int:
    """Fetch what is missing; return the exit code, which is 0 without a network too."""
    if is_complete():
        return 0
    address = registry()
    try:
        fetched = {name: content for package in PACKAGES for name, content in fetch(address, package)}
    except (OSError, http.client.HTTPException) as error:
        print(
            f"The pages /docs and /redoc are left out, and the others do without scripts: the npm registry, "
            f"{urlsplit(address).hostname}, did not answer ({error}). The service works without them; "
            "`make install` fetches them once there is a network.",
            file=sys.stderr,
        )
        return 0
    write(fetched)
    return 0


def is_complete() -> bool:
    """Return whether every file is there as this very script wrote it."""
    try:
        manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
        files = {name: digest((VENDOR / name).read_bytes()) for name in manifest["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(manifest == {"script": own_digest(), "files": files})


def registry() -> str:
    """Return the address of the npm registry that this machine is configured to use."""
    address = os.environ.get("NPM_CONFIG_REGISTRY", "")
    if not address and (npm := shutil.which("npm")):
        asked = subprocess.run(
            [npm, "config", "get", "registry"], capture_output=True, text=True, check=False
        )
        address = asked.stdout.strip()
    return (address or REGISTRY).rstrip("/")


def fetch(address: str, package: Package) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file to keep, and of its compressed copy where browsers load it.

    Raises:
        OSError, http.client.HTTPException: the registry is out of reach.
        SystemExit: it answered something else than the package.
    """
    url = f"{address}/{package.name}/-/{package.name}-{package.version}.tgz"
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:  # noqa: S310 - the hash decides
        tarball = response.read()
    if base64.b64encode(hashlib.sha512(tarball).digest()).decode() != package.sha512:
        raise SystemExit(
            f"What the npm registry calls {package.name} {package.version} has another hash: nothing is kept"
        )
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        for path, name in package.files.items():
            member = archive.extractfile(f"package/{path}")
            assert member is not None, path  # noqa: S101 - the hash says that it is a file
            content = member.read().replace(LOGO, NO_LOGO)
            yield name, content
            if not name.endswith(".txt"):
                yield f"{name}.gz", gzip.compress(content, mtime=0)


def write(files: Mapping[str, bytes]) -> None:
    """Write the files, and at last the manifest that says that they are complete."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    for name, content in files.items():
        (VENDOR / name).write_bytes(content)
    written = {"script": own_digest(), "files": {name: digest(content) for name, content in files.items()}}
    MANIFEST.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def own_digest() -> str:
    """Return the digest of this script: another version of it fetches anew."""
    return digest(Path(__file__).read_bytes())


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
