"""Build the container image from the Bento that `make bundle` has made, with a list of what is in it (SBOM).

On the local stand-in for the official base image, where no registry is reached, it is for rehearsals only.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PROJECT = Path(__file__).parents[1]
RECIPE = PROJECT / "deploy" / "image"
BENTO = PROJECT / "dist" / "churn.tar.gz"
CONTENTS = PROJECT / "dist" / "churn-image.cdx.json"

STANDIN = "python:3.13-slim"
LABEL = "local-engine.standin"  # of the stand-in, and of what is built on it


class ImageError(Exception):
    """There is no engine, or the image could not be built."""


def docker(*arguments: str, into: Path | None = None) -> str:
    """Run the engine's client, and return what it prints, or write that to a file.

    Raises:
        ImageError: there is no client, no engine that answers, or it refuses.
    """
    if shutil.which("docker") is None:
        raise ImageError("docker is not installed: install Docker, or run this where it is")
    command = ["docker", *arguments]
    # Engines before 23 have the builder that the recipe needs, and take the other one by themselves.
    env = {"DOCKER_BUILDKIT": "1", **os.environ}
    if into is not None:
        with into.open("wb") as file:
            done = subprocess.run(command, env=env, stdout=file, stderr=subprocess.PIPE)
    else:
        done = subprocess.run(command, env=env, capture_output=True)
    said = (done.stdout or b"").decode(errors="replace")
    if done.returncode:
        raise ImageError(f"docker {arguments[0]} failed:\n{said}{done.stderr.decode(errors='replace')}")
    return said


def check_engine() -> None:
    """Accept an engine that answers.

    Raises:
        ImageError: there is none.
    """
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except ImageError as error:
        if "failed" not in str(error):
            raise
        raise ImageError("no Docker engine answers: start it, or name its address in DOCKER_HOST") from None


def unpack(bento: Path, folder: Path, *, ui: bool) -> None:
    """Write all that the image is built from to a new folder: the Bento, the recipe, and the locked packages.

    Raises:
        ImageError: there is no Bento.
    """
    if not bento.is_file():
        raise ImageError(f"{bento} is missing: run `make bundle`")
    folder.mkdir()
    # By tar: tarfile wants `filter=` in newer Pythons, and does not know it before 3.11.4.
    subprocess.run(["tar", "-xzf", bento, "-C", folder], check=True)  # noqa: S607
    for name in ("Dockerfile", ".dockerignore", "slim.py", "finish.py"):
        shutil.copy(RECIPE / name, folder)
    (folder / "env/python/requirements.txt").write_text(requirements(), encoding="utf-8")
    if ui:
        (folder / "env/python/requirements-ui.txt").write_text(
            requirements("--extra", "ui"), encoding="utf-8"
        )
        dockerfile = folder / "Dockerfile"
        plain = dockerfile.read_text(encoding="utf-8")
        dockerfile.write_text(plain.replace("ARG UI=without\n", "ARG UI=with\n"), encoding="utf-8")


def requirements(*extra: str) -> str:
    """Return what uv.lock has for serving, with the options of an extra, each package with its digests."""
    command = [sys.executable, "-m", "uv", "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project"]
    command += ["--no-header", "--no-annotate", *extra]
    return subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout


def base() -> str | None:
    """Return the base to build on in place of the Dockerfile's: the stand-in, where the engine has it."""
    try:
        return STANDIN if is_of_standin(STANDIN) else None
    except ImageError:
        return None


def is_of_standin(image: str) -> bool:
    """Return whether an image is the stand-in, or built on it, and so must not be pushed.

    Raises:
        ImageError: there is no such image.
    """
    label = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    return bool(docker("image", "inspect", "--format", label, image).strip())


def build(folder: Path, tag: str) -> None:
    """Build the image in a folder that `unpack` has filled.

    Raises:
        ImageError: it cannot be built; the message is the engine's.
    """
    standin = base()
    if standin:
        print(f"built on a local stand-in for {STANDIN}: this image is for rehearsals and must not be pushed")
    arguments = ["--build-arg", f"BASE={standin}"] if standin else []
    docker("build", "--tag", tag, *arguments, str(folder))


def list_contents(tag: str, scratch: Path, target: Path) -> None:
    """Write what is installed in an image's environment as CycloneDX, with versions and licences.

    Raises:
        ImageError: the image cannot be read.
    """
    venv.create(scratch, with_pip=False)
    [packages] = scratch.glob("lib/python*/site-packages")
    take = "cd /opt/churn/lib/python*/site-packages && tar -cf - *.dist-info"
    archive = scratch / "installed.tar"
    docker("run", "--rm", "--network", "none", "--entrypoint", "sh", tag, "-c", take, into=archive)
    subprocess.run(["tar", "-xf", archive, "-C", packages], check=True)  # noqa: S607
    options = ["--pyproject", str(PROJECT / "pyproject.toml"), "--output-reproducible", "-o", str(target)]
    command = [sys.executable, "-m", "cyclonedx_py", "environment", *options, str(scratch)]
    subprocess.run(command, check=True)


def size(tag: str) -> int:
    """Return the bytes of an image."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", tag))


def main() -> int:
    """Build the image and print its name and size; or say in a sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bento", type=Path, default=BENTO)
    parser.add_argument("--ui", action="store_true", help="with the page of Gradio's")
    parser.add_argument("--tag", default="churn:latest")
    parser.add_argument("--sbom", type=Path, default=CONTENTS)
    options = parser.parse_args()
    options.sbom.unlink(missing_ok=True)
    try:
        check_engine()
        with tempfile.TemporaryDirectory() as name:
            context, scratch = Path(name, "context"), Path(name, "environment")
            unpack(options.bento, context, ui=options.ui)
            build(context, options.tag)
            list_contents(options.tag, scratch, options.sbom)
    except ImageError as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    print(f"{options.tag} is built ({size(options.tag) / 1e6:.0f} MB); what is in it: {options.sbom}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
