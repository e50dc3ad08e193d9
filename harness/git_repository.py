"""One repository of our own hub."""

import subprocess
from pathlib import Path


class Repository:
    """Bare git, with what the hub keeps beside it."""

    def __init__(self, folder: Path, sdk: str, files: dict[str, bytes]) -> None:
        self.folder, self.sdk = folder, sdk
        self.is_private = True
        self.secrets: dict[str, str] = {}
        self.descriptions: dict[str, str] = {}  # of the secrets
        self.variables: dict[str, str] = {}
        self.stages = ["NO_APP_FILE"]
        self.running = ""  # the revision that runs
        folder.mkdir(parents=True)
        self.git("init", "-q", "--bare", "-b", "main")
        self.commit("initial commit", files, [])

    def git(self, *arguments: str, given: bytes = b"") -> bytes:
        who = ["-c", "user.name=hub", "-c", "user.email=hub@localhost"]
        command = ["git", "-C", str(self.folder), *who, *arguments]
        done = subprocess.run(command, input=given, capture_output=True, check=True)
        return done.stdout

    @property
    def head(self) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), "rev-parse", "-q", "--verify", "main"], capture_output=True
        )
        return done.stdout.decode().strip()

    def commit(self, title: str, files: dict[str, bytes], deleted: list[str]) -> str:
        """Commit files as a whole, and return the new revision."""
        said = title.encode()
        lines = [b"commit refs/heads/main", b"committer hub <hub@localhost> now"]
        lines += [b"data %d" % len(said), said]
        lines += [f"from {self.head}".encode()] if self.head else []
        lines += [f"D {name}".encode() for name in deleted]
        for name, content in files.items():
            lines += [f"M 100644 inline {name}".encode(), b"data %d" % len(content), content]
        self.git("fast-import", "--quiet", "--date-format=now", given=b"\n".join(lines) + b"\n")
        return self.head

    def squash(self) -> None:
        """Keep the files of the newest revision, and nothing of what was before."""
        kept = self.git("commit-tree", "main^{tree}", "-m", "squashed").decode().strip()
        self.git("update-ref", "refs/heads/main", kept)

    def files(self, revision: str = "main") -> dict[str, tuple[str, int]]:
        """Return the files of a revision: each one's object and size."""
        rows = self.git("ls-tree", "-r", "-l", "-z", revision).decode().split("\0")
        split = [row.partition("\t") for row in rows if row]
        return {name: (meta.split()[2], int(meta.split()[3])) for meta, _, name in split}

    def read(self, name: str, revision: str = "main") -> bytes:
        return self.git("show", f"{revision}:{name}")

    def titles(self) -> list[str]:
        return self.git("log", "--format=%s", "main").decode().splitlines()
