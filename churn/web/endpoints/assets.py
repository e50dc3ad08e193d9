"""Assets: the scripts and styles of pages, under names that change with their content."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parents[1] / "assets"
VENDOR = FOLDER / "vendor"  # filled by scripts/fetch_assets.py
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}


def make_assets() -> Route:
    """Return the route of all assets."""

    # Not `async`: files are read in a thread.
    def asset(request: Request) -> Response:
        """Answer one asset, compressed where it is kept so and the browser takes it."""
        path = _files().get(request.path_params["name"])
        if path is None:
            raise HTTPException(404)
        headers = {"Vary": "Accept-Encoding"}
        compressed = path.with_name(f"{path.name}.gz")
        if "gzip" in request.headers.get("Accept-Encoding", "") and compressed.exists():
            headers["Content-Encoding"] = "gzip"
            content = compressed.read_bytes()
        else:
            content = path.read_bytes()
        return Response(content, headers=headers, media_type=_MEDIA_TYPES[path.suffix])

    return Route("/assets/{name}", asset)


def asset_address(name: str) -> str | None:
    """Return the address of an asset, relative to that of a page; None where it was never fetched."""
    served = next((served for served, path in _files().items() if path.name == name), None)
    return f"assets/{served}" if served else None


@cache
def _files() -> Mapping[str, Path]:
    """Return the files by the names under which they are served."""
    paths = [path for folder in (FOLDER, VENDOR) for path in folder.glob("*") if path.suffix in _MEDIA_TYPES]
    return {f"{path.stem}.{_digest(path)}{path.suffix}": path for path in paths}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
