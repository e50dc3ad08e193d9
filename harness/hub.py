"""The state of a Hugging Face Hub of our own: its repositories, and what is to go wrong."""

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from harness.git_repository import Repository

OWNER = "marie"
HANG = 0  # a call is held until `hub.released` is set, and then cut
DONE_BUT_CUT = 1  # a call is done, and its answer never arrives
BUILT = ["BUILDING", "APP_STARTING", "RUNNING"]


@dataclass
class Hub:
    """The hub: its repositories by KIND/OWNER/NAME, and what is to go wrong."""

    folder: Path
    token: str
    url: str = ""
    host: str = ""  # where every Space is reached
    repositories: dict[str, Repository] = field(default_factory=dict)
    trouble: dict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))
    builds: list[list[str]] = field(default_factory=list)  # the stages after the next commits
    log: list[str] = field(default_factory=list)  # what the log of each build and run says
    calls: list[str] = field(default_factory=list)
    objects: dict[str, bytes] = field(default_factory=dict)
    reached: threading.Event = field(default_factory=threading.Event)  # a call is held
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def add(self, name: str, sdk: str = "docker", files: dict[str, bytes] | None = None) -> Repository:
        """Make a repository, KIND/OWNER/NAME."""
        first = {".gitattributes": b"", "README.md": b"---\nsdk: docker\n---\n"} if files is None else files
        self.repositories[name] = Repository(self.folder / f"{name}.git", sdk, first)
        return self.repositories[name]

    def space(self, name: str = f"{OWNER}/churn") -> Repository:
        return self.repositories[f"spaces/{name}"]

    def confirmed(self) -> set[str]:
        """Return the revisions with a tag."""
        rows = self.space().git("tag", "--format=%(objectname)").decode()
        return set(rows.split())

    def build(self, repository: Repository) -> None:
        repository.stages = list(self.builds.pop(0) if self.builds else BUILT)
