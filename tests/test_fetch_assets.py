"""The files of the documentation pages: fetched from the configured registry, checked, and kept."""

import base64
import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from scripts import fetch_assets
from scripts.fetch_assets import LOGO, Package

SCRIPT = b"show(" + LOGO + b")"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the tarball of the one package of a registry; an empty folder is to have its files."""
    tarball = tmp_path / "registry" / "page" / "-" / "page-1.0.0.tgz"
    tarball.parent.mkdir(parents=True)
    with tarfile.open(tarball, "w:gz") as archive:
        for name, content in (("dist/page.js", SCRIPT), ("LICENSE", b"MIT"), ("other.js", b"")):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    sha512 = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    package = Package("page", "1.0.0", sha512, {"dist/page.js": "page.js", "LICENSE": "page.LICENSE.txt"})
    vendor = tmp_path / "vendor"
    monkeypatch.setattr(fetch_assets, "PACKAGES", (package,))
    monkeypatch.setattr(fetch_assets, "VENDOR", vendor)
    monkeypatch.setattr(fetch_assets, "MANIFEST", vendor / "manifest.json")
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{(tmp_path / 'registry').as_uri()}/")
    return tarball


def kept() -> dict[str, bytes]:
    files = fetch_assets.VENDOR.glob("*")
    return {path.name: path.read_bytes() for path in files if path != fetch_assets.MANIFEST}


@pytest.mark.usefixtures("registry")
def test_keeps_what_is_needed_and_its_licence_without_the_logo() -> None:
    assert fetch_assets.main() == 0
    files = kept()
    assert gzip.decompress(files.pop("page.js.gz")) == b"show(data:,)"
    assert files == {"page.js": b"show(data:,)", "page.LICENSE.txt": b"MIT"}


def test_fetches_again_only_what_is_not_as_it_was(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch_assets.main()
    first = kept()
    content = registry.read_bytes()
    registry.unlink()
    assert fetch_assets.main() == 0  # asks nobody
    assert capsys.readouterr().err == ""
    registry.write_bytes(content)
    (fetch_assets.VENDOR / "page.js").write_bytes(b"something else")
    assert fetch_assets.main() == 0
    assert kept() == first


def test_without_a_network_says_in_a_sentence_what_is_missing(
    registry: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.unlink()
    assert fetch_assets.main() == 0
    assert "The service works without them; `make install` fetches them" in capsys.readouterr().err
    assert not fetch_assets.VENDOR.exists()


def test_refuses_another_tarball_and_keeps_nothing(registry: Path) -> None:
    registry.write_bytes(registry.read_bytes() + b" ")
    with pytest.raises(SystemExit, match=r"page 1\.0\.0 has another hash: nothing is kept"):
        fetch_assets.main()
    assert not fetch_assets.VENDOR.exists()


def test_asks_npm_for_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho https://npm.example/of/ours/\n", encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    assert fetch_assets.registry() == "https://npm.example/of/ours"
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert fetch_assets.registry() == fetch_assets.REGISTRY
