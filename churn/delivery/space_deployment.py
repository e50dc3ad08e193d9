"""The deployment of a Space: upload, wait until that revision runs, try it, and put the previous one back.

Every step finds out what the last attempt has done, so that a deployment that was interrupted anywhere is
run again with the same command.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from churn.core.errors import DeliveryError
from churn.delivery import secret_digest
from churn.delivery.contents import objections
from churn.delivery.hub import Hub, HubAwayError, Runtime, State
from churn.delivery.smoke_test import SmokeTest

_BENTO = "bento.yaml"  # no other application has one
_EMPTY = {".gitattributes", "README.md"}  # what the hub puts into a new Space
_UNDER_WAY = {"BUILDING", "RUNNING_BUILDING", "APP_STARTING", "RUNNING_APP_STARTING"}
_WAITED_FOR = {*_UNDER_WAY, "RUNNING", "UNKNOWN"}
_AT_REST = {"PAUSED", "SLEEPING", "STOPPED"}
_LOG_LINES = 20
_SECONDS_BETWEEN = (0.1, 10.0)  # looks at the stage: at first, and at most
_SECONDS_TO_BEGIN = 30.0  # after a commit; a stage until then may be what the revision before came to
_SECONDS_AWAY = 1.0  # between two calls of a hub that is away
_MINUTE = 60.0

Tell = Callable[[str], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Wanted:
    """What a Space shall hold: the files of a folder, secrets and variables."""

    folder: Path
    secrets: Mapping[str, str] = field(repr=False)
    variables: Mapping[str, str]

    @property
    def credentials(self) -> list[str]:
        """What no file and no message may hold."""
        return [value for name, value in self.secrets.items() if name != "API_USERNAME"]

    def check(self) -> None:
        """Accept a folder that `make space` wrote, with nothing in it that must not travel.

        Raises:
            DeliveryError: it is another, or there is.
        """
        readme = self.folder / "README.md"
        is_space = readme.is_file() and "\nsdk: docker\n" in readme.read_text(
            encoding="utf-8", errors="replace"
        )
        if not is_space or not (self.folder / "Dockerfile").is_file() or not self._has_bento():
            raise DeliveryError(
                f"{self.folder} holds no Space with a Bento: write one with `make space OUT={self.folder}`"
            )
        if found := objections(self.folder, self.credentials):
            raise DeliveryError("nothing is uploaded: " + "; ".join(found))

    def _has_bento(self) -> bool:
        return any(self.folder.rglob(_BENTO))


class SpaceDeployment:
    """Brings a Space to what is wanted; `limit` is how many seconds a revision may take to run."""

    def __init__(self, hub: Hub, wanted: Wanted, smoke_test: SmokeTest, limit: float, tell: Tell) -> None:
        self._hub = hub
        self._wanted = wanted
        self._smoke_test = smoke_test
        self._limit = limit
        self._tell = tell

    def run(self, *, private: bool) -> None:
        """Do all of it.

        Raises:
            DeliveryError: it cannot be done, or what was uploaded does not serve; the previous revision is
                back then, or the message says that it is not.
        """
        self._wanted.check()
        self._hub.check_token()
        parent = self._existing(private=private).revision
        self._configure()
        revision = self._hub.upload(self._wanted.folder, parent)
        if revision == parent:
            self._tell(f"nothing to upload: revision {revision[:12]} is what is to run")
        else:
            self._tell(f"uploaded as revision {revision[:12]}")
        confirmed = self._hub.confirmed()
        try:
            self._await_serving(revision)
        except DeliveryError as failure:
            if revision in confirmed:
                raise DeliveryError(
                    f"{failure}; this revision has served before, so nothing is changed"
                ) from None
            self._put_back(revision, confirmed, failure)
        self._hub.confirm(revision)
        self._tell(f"revision {revision[:12]} serves")

    def _existing(self, *, private: bool) -> State:
        """Return the Space, made where there is none.

        Raises:
            DeliveryError: its name is taken by another application.
        """
        state = self._hub.state()
        if state is None:
            self._hub.create(private=private)
            self._tell(f"{self._hub.space} is made, {'private' if private else 'public'}")
            state = self._hub.state()
        if state is None:
            raise DeliveryError(f"{self._hub.space} is made but cannot be seen: this token may not read it")
        files = set(self._hub.files(state.revision))
        is_ours = any(name.rpartition("/")[2] == _BENTO for name in files)
        if state.sdk not in ("docker", "") or not (is_ours or files <= _EMPTY):
            kind = "another application" if state.sdk == "docker" else f"a Space of the kind {state.sdk}"
            raise DeliveryError(f"the name {self._hub.space} is taken by {kind}: choose another name")
        return state

    def _configure(self) -> None:
        """Set the secrets and variables that differ, or are not there yet."""
        there = self._hub.secrets()
        for name, value in self._wanted.secrets.items():
            if not secret_digest.is_of(there.get(name), value):
                self._hub.set_secret(name, value, secret_digest.digest(value))
                self._tell(f"secret {name} is set")
        current = self._hub.variables()
        for name, value in self._wanted.variables.items():
            if current.get(name) != value:
                self._hub.set_variable(name, value)
                self._tell(f"variable {name} is set")

    def _await_serving(self, revision: str) -> None:
        """Wait until a revision runs, and try it.

        Raises:
            DeliveryError: it does not run in time, or does not answer as it should.
        """
        self._await_running(revision)
        state = _patiently(self._hub.state)
        self._smoke_test.run(state.host if state else "")

    def _await_running(self, revision: str) -> None:
        started = told_at = time.monotonic()
        pause, most = _SECONDS_BETWEEN
        told, has_begun, was_restarted = "", False, False
        while True:
            runtime = self._runtime()
            stage = runtime.stage
            elapsed = time.monotonic() - started
            is_of_it = runtime.revision in (None, revision)
            has_begun |= stage in _UNDER_WAY or elapsed > _SECONDS_TO_BEGIN
            if stage == "RUNNING" and is_of_it:
                return
            if stage in _AT_REST and not was_restarted:
                _patiently(self._hub.restart)
                was_restarted = True
            elif stage not in _WAITED_FOR and (is_of_it or has_begun):
                raise DeliveryError(self._why(f"revision {revision[:12]} does not run: {stage}", stage))
            if elapsed > self._limit:
                sentence = f"revision {revision[:12]} does not run after {elapsed:.0f} s: {stage}"
                raise DeliveryError(self._why(sentence, stage))
            if stage != told or time.monotonic() - told_at > _MINUTE:
                self._tell(f"{stage} ({elapsed:.0f} s)")
                told, told_at = stage, time.monotonic()
            time.sleep(pause)
            pause = min(pause * 1.5, most)

    def _runtime(self) -> Runtime:
        """Return what the Space does; a hub that is away for a moment is asked again later."""
        try:
            return self._hub.runtime()
        except HubAwayError:
            return Runtime("UNKNOWN", None)

    def _why(self, sentence: str, stage: str) -> str:
        """Return a sentence with the end of the log that explains it, without a secret."""
        lines = self._hub.log_end(_LOG_LINES, build="BUILD" in stage)
        text = "\n".join([sentence, *(f"  | {line}" for line in lines)])
        for secret in (self._hub.token, *self._wanted.credentials):
            text = text.replace(secret, "…")
        return text

    def _put_back(self, revision: str, confirmed: set[str], failure: DeliveryError) -> None:
        """Put the previous revision back, and say so.

        Raises:
            DeliveryError: always.
        """
        try:
            outcome = _patiently(lambda: self._return_from(revision, confirmed))
        except DeliveryError as error:
            outcome = f"the previous revision is not back: {error}; run this again"
        raise DeliveryError(f"{failure}\n{outcome}")

    def _return_from(self, revision: str, confirmed: set[str]) -> str:
        """Have the revision that served last run again, and return a sentence that says so."""
        history = self._hub.history()
        earlier = history[history.index(revision) + 1 :]
        if not earlier:
            return "there is no earlier revision to put back"
        previous = next((one for one in earlier if one in confirmed), earlier[0])
        self._tell(f"putting revision {previous[:12]} back")
        restored = self._hub.put_back(previous, revision)
        if set(self._hub.files(restored)) <= _EMPTY:
            return f"{self._hub.space} was empty before, and is empty again"
        self._await_running(restored)
        return f"revision {previous[:12]} is put back and runs"


def _patiently(call: Callable[[], Answer]) -> Answer:
    """Return what a call returns; where the hub is away, it is made again for a while."""
    deadline = time.monotonic() + _MINUTE
    while True:
        try:
            return call()
        except HubAwayError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_SECONDS_AWAY)
