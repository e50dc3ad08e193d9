"""The Hugging Face Hub, as far as one Space needs it; whatever it refuses is one sentence."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import huggingface_hub
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    RepoFile,
    set_client_factory,
)
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils.tqdm import disable_progress_bars

from churn.core.errors import DeliveryError
from churn.delivery.contents import contents

_KEPT = ".gitattributes"  # the hub's own: which files it keeps apart
_CONFIRMED = "deployed-"  # begins the tag of each revision that has been seen to serve
_AGAIN = "run this again later; it goes on where it was"


class HubAwayError(DeliveryError):
    """The hub does not answer, or fails: the same call may succeed later."""


class StaleError(DeliveryError):
    """Somebody else has committed meanwhile."""


@dataclass(frozen=True)
class State:
    """A Space as it is: its newest revision, its address once it has one, and its kind."""

    revision: str
    host: str
    sdk: str


@dataclass(frozen=True)
class Runtime:
    """What a Space does: its stage, and of which revision, where the hub tells."""

    stage: str
    revision: str | None


class Hub:
    """One Space on the hub, by its name OWNER/NAME; a call waits for its answer for `patience` seconds.

    Raises:
        DeliveryError: the name has no owner, where the hub would take the token's.
    """

    def __init__(self, space: str, token: str, patience: float) -> None:
        if "/" not in space:
            raise _misnamed(space)
        set_client_factory(lambda: httpx2.Client(follow_redirects=True, timeout=patience))
        disable_progress_bars()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        self.space = space
        self.token = token
        self._patience = patience  # for the one call that sets its own
        self._api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token)

    def check_token(self) -> None:
        """Accept a token that the hub knows.

        Raises:
            DeliveryError: it does not, or does not answer.
        """
        with self._told():
            self._api.whoami()

    def state(self) -> State | None:
        """Return the Space; None where there is none, or none that this token may see."""
        try:
            with self._told():
                info = self._api.space_info(self.space, timeout=self._patience)
        except _MissingError:
            return None
        return State(info.sha or "", info.host or "", info.sdk or "")

    def create(self, *, private: bool) -> None:
        """Make the Space, empty."""
        with self._told():
            self._api.create_repo(
                self.space, repo_type="space", space_sdk="docker", private=private, exist_ok=True
            )

    def secrets(self) -> dict[str, str | None]:
        """Return the descriptions of the Space's secrets by their names; the hub tells no values."""
        with self._told():
            found = self._api.get_space_secrets(self.space)
        return {name: secret.description for name, secret in found.items()}

    def set_secret(self, name: str, value: str, description: str) -> None:
        """Set a secret, which restarts the Space; the description is for those who may change the Space."""
        with self._told():
            self._api.add_space_secret(self.space, name, value, description=description)

    def variables(self) -> dict[str, str]:
        """Return the Space's variables."""
        with self._told():
            found = self._api.get_space_variables(self.space)
        return {name: variable.value for name, variable in found.items()}

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable, which restarts the Space."""
        with self._told():
            self._api.add_space_variable(self.space, name, value)

    def files(self, revision: str) -> dict[str, str]:
        """Return the files of a revision, each with a digest of its content."""
        with self._told():
            tree = self._api.list_repo_tree(self.space, recursive=True, revision=revision, repo_type="space")
            return {entry.path: entry.blob_id for entry in tree if isinstance(entry, RepoFile)}

    def upload(self, folder: Path, parent: str) -> str:
        """Make the Space hold a folder's files and no others, in one commit, and return the newest revision.

        That is `parent` where nothing has changed.

        Raises:
            StaleError: `parent` is not the newest revision any more.
        """
        local = {str(path.relative_to(folder)): path for path in contents(folder) if path.is_file()}
        gone = sorted(set(self.files(parent)) - set(local) - {_KEPT})
        for is_last in (False, True):
            try:
                added = [CommitOperationAdd(name, path) for name, path in local.items()]
                deleted = [CommitOperationDelete(name) for name in gone]
                return self._commit([*added, *deleted], f"churn {folder.name}", parent)
            except HubAwayError:
                # It may have been committed all the same: if so, the second attempt finds nothing to change.
                if is_last:
                    raise
        raise AssertionError("unreachable")

    def put_back(self, earlier: str, parent: str) -> str:
        """Make the Space hold the files of an earlier revision again, and return the newest revision.

        Raises:
            StaleError: `parent` is not the newest any more, and the newest does not hold these files either.
        """
        then, newest = self.files(earlier), self.history()[0]
        if self.files(newest) == then:  # a commit whose answer was lost
            return newest
        now = self.files(parent)
        changed = [name for name, digest in then.items() if now.get(name) != digest]
        copied = [CommitOperationCopy(name, name, src_revision=earlier) for name in changed]
        deleted = [CommitOperationDelete(name) for name in sorted(set(now) - set(then))]
        return self._commit([*copied, *deleted], f"Put back {earlier[:12]}", parent)

    def _commit(
        self,
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete],
        message: str,
        parent: str,
    ) -> str:
        with self._told():
            return self._api.create_commit(
                self.space, operations, commit_message=message, repo_type="space", parent_commit=parent
            ).oid

    def history(self) -> list[str]:
        """Return all revisions, the newest first."""
        with self._told():
            commits = self._api.list_repo_commits(self.space, repo_type="space")
        return [commit.commit_id for commit in commits]

    def confirmed(self) -> set[str]:
        """Return the revisions that have been seen to serve."""
        with self._told():
            tags = self._api.list_repo_refs(self.space, repo_type="space").tags
        return {tag.target_commit for tag in tags if tag.name.startswith(_CONFIRMED)}

    def confirm(self, revision: str) -> None:
        """Note that a revision has been seen to serve."""
        with self._told():
            self._api.create_tag(
                self.space,
                tag=f"{_CONFIRMED}{revision[:12]}",
                revision=revision,
                repo_type="space",
                exist_ok=True,
            )

    def runtime(self) -> Runtime:
        """Return what the Space does now."""
        with self._told():
            runtime = self._api.get_space_runtime(self.space)
        return Runtime(str(getattr(runtime.stage, "value", runtime.stage)), runtime.raw.get("sha"))

    def restart(self) -> None:
        """Start the Space again."""
        with self._told():
            self._api.restart_space(self.space)

    def log_end(self, lines: int, *, build: bool) -> list[str]:
        """Return the last lines of the log of the build, or else of the run; none where there is no log."""
        try:
            with self._told():
                logged = "".join(
                    text if text.endswith("\n") else f"{text}\n"
                    for text in self._api.fetch_space_logs(self.space, build=build)
                )
        except DeliveryError:
            return []
        return logged.splitlines()[-lines:]

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the hub refuses into one sentence."""
        try:
            yield
        except HFValidationError:
            raise _misnamed(self.space) from None
        except HfHubHTTPError as error:
            raise self._refusal(error) from None
        except httpx2.HTTPError as error:
            raise HubAwayError(
                f"{self._api.endpoint} does not answer ({type(error).__name__}): {_AGAIN}"
            ) from None
        except RuntimeError as error:  # of a large file, which goes on its own way
            said = str(error).partition("\n")[0]
            raise HubAwayError(f"the upload was interrupted ({said}): {_AGAIN}") from None
        except ValueError as error:
            said = str(error).partition("\n")[0]
            raise DeliveryError(
                f"this cannot be sent to {self._api.endpoint}, or its answer read: {said}"
            ) from None

    def _refusal(self, error: HfHubHTTPError) -> DeliveryError:
        status = error.response.status_code
        if status >= 500 or status in (408, 429):
            return HubAwayError(f"{self._api.endpoint} answers {status}: {_AGAIN}")
        said = f" ({error.server_message})" if error.server_message else ""
        where = error.response.request.url.path
        if where.endswith("/whoami-v2"):
            return DeliveryError(
                f"the hub does not accept this token{said}: make one that may write to {self.space} "
                f"at {self._api.endpoint}/settings/tokens, and put it into HF_TOKEN"
            )
        sentences: Mapping[int, DeliveryError] = {
            401: _MissingError(f"there is no Space {self.space} that this token may see"),
            403: DeliveryError(f"this token may not write to {self.space}{said}: use one that may"),
            404: _MissingError(f"there is no Space {self.space} that this token may see"),
            409: DeliveryError(f"{self.space} cannot be made or changed now{said}: {_AGAIN}"),
            412: StaleError(
                f"somebody else has changed {self.space} meanwhile: "
                "look at what was committed, then run this again"
            ),
        }
        return sentences.get(status) or DeliveryError(f"the hub refuses this, with {status}{said}")


class _MissingError(DeliveryError):
    """There is no such Space, or none that the token may see."""


def saved_token() -> str | None:
    """Return the token of HF_TOKEN, or else of `hf auth login`."""
    try:
        return huggingface_hub.get_token()
    except OSError:  # of the file that it may be in
        return None


def _misnamed(space: str) -> DeliveryError:
    return DeliveryError(f"{space!r} is no name of a Space: expected OWNER/NAME, in letters, digits, - and _")
