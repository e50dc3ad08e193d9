"""Push the image that `make image` built to a registry, and print its name and its digest there.

The two lines are what a step of GitHub's calls its outputs; everything else goes to standard error.
"""

import argparse
import sys

from scripts.image import ImageError, check_engine, docker, is_of_standin
from scripts.release import ReleaseError, parts


def push(built: str, name: str, version: str) -> str:
    """Push an image by a version's tag, and return the digest by which the registry has it.

    Raises:
        ReleaseError: the version is none of ours.
        ImageError: there is no name, engine or image, the image may not leave, or the registry refuses it.
    """
    parts(version)
    if not name:
        raise ImageError("to where? expected the name of an image, like IMAGE=ghcr.io/owner/name")
    check_engine()
    try:
        is_for_rehearsals = is_of_standin(built)
    except ImageError:
        raise ImageError(f"there is no image {built}: run `make image`") from None
    if is_for_rehearsals:
        raise ImageError(f"{built} is built on a stand-in for its base, for rehearsals: it must not leave")
    pushed = f"{name}:{version}"
    docker("tag", built, pushed)
    docker("push", pushed)
    known = docker("image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', pushed).split()
    return next(one.removeprefix(f"{name}@") for one in known if one.startswith(f"{name}@"))


def main() -> int:
    """Push, and print name and digest; or say in a sentence why not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="without a tag: ghcr.io/owner/name")
    parser.add_argument("version", help="three numbers, like 1.2.0; a tag's v before them is dropped")
    parser.add_argument("--image", default="churn:latest", help="as `make image` named it")
    options = parser.parse_args()
    version = options.version.removeprefix("v")
    try:
        digest = push(options.image, options.name, version)
    except (ImageError, ReleaseError) as error:
        print(f"push-image: {error}", file=sys.stderr)
        return 1
    print(f"name={options.name}\ndigest={digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
