"""The backend: what one worker process holds open while it serves."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from churn import preflight
from churn.access.administration import Administration
from churn.access.authenticator import Authenticator, Rates
from churn.access.hashing import Hashing
from churn.access.identities import environment_callers
from churn.access.token_last_used import TokenLastUsed
from churn.access.verifier import Verifier
from churn.core import places
from churn.core.errors import ModelError
from churn.core.extras import has_gradio_page
from churn.core.language import Language
from churn.core.memory_file import MemoryFile
from churn.core.settings import Settings, load
from churn.database.embedded import identity_of
from churn.database.engine import make_engine
from churn.database.maintenance import Maintenance
from churn.dictionary.dictionary import Dictionary
from churn.jobs.job_runner import JobRunner
from churn.jobs.jobs import Jobs
from churn.journal import pseudonyms, spool
from churn.journal.call import Call
from churn.journal.journal import Journal, JournalState
from churn.journal.store import Store
from churn.journal.writer import Writer
from churn.mirror import mirror
from churn.mirror.mirror import Mirror
from churn.model import registry
from churn.model.card import describe
from churn.model.registry import ServedModel
from churn.model.scoring import Scorer
from churn.monitoring.monitor_schedule import MonitorSchedule
from churn.monitoring.monitors import Monitors
from churn.monitoring.outcome_intake import Placed, sift
from churn.offload.helper import Helper
from churn.records.audit_log import Event, events
from churn.records.history import History
from churn.schemas.outcome import Outcome, OutcomeProblem
from churn.schemas.service_answers import ModelCard
from churn.web.endpoints.monitor_reader import look_at_all
from churn.web.endpoints.predictions import Endpoint
from churn.web.middleware.error_responses import logger
from churn.web.request_state import Batch
from churn.web.server import file_limit
from churn.web.server.garbage import collect_seldom


class Backend:
    """What one worker process holds open while it serves; empty until the service starts.

    The middlewares are made before the service is: they are given this object's methods.
    """

    engine: Engine
    job_runner: JobRunner
    _settings: Settings
    _model: ServedModel
    _scorer: Scorer
    _journal: Journal
    _helper: Helper
    _maintenance: Maintenance
    _mirror: Mirror | None
    _schedule: MonitorSchedule | None
    _last_used: TokenLastUsed
    _authenticator: Authenticator

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self.endpoints: dict[str, Endpoint] = {}

    def open(self, *, has_identities: bool) -> None:
        """Read the settings, load the model and connect; `has_identities` where a start has made them.

        Raises:
            ChurnError: one of them is not as it should be.
        """
        file_limit.raise_limit()
        settings = self._settings = load()
        self._model = registry.load(settings.model, self._dictionary)
        if self._model.dictionary is not self._dictionary:
            raise ModelError(
                f"model {self._model.tag} was promoted while this worker started, and its API is another: "
                "start the service again"
            )
        self._scorer = Scorer(self._model)
        for sentence in (*self._model.self_test.failures, *self._model.self_test.notes):
            logger.warning("model %s: %s", self._model.tag, sentence)
        self.engine = make_engine(settings.database_url.get_secret_value())
        probe = preflight.DatabaseProbe(self.engine, settings, has_identities=has_identities)
        store = Store(Writer(self.engine), probe, spool.configured(settings))
        self._journal = Journal(store, pseudonyms.configured(settings))
        self._journal.start()
        self._helper = Helper(settings, self._model, identity_of(self.engine))
        self.job_runner = JobRunner.started(settings, self._model, identity_of(self.engine))
        self._last_used = TokenLastUsed(self.engine)
        rates = Rates(settings.user_rate, settings.token_rate)
        hashing = Hashing()
        verifier = Verifier(self.engine, environment_callers(settings), hashing.matches)
        self._authenticator = Authenticator(verifier, hashing, self._last_used, self.record, rates)
        self._maintenance = Maintenance(self.engine)
        self._maintenance.start()
        self._mirror = mirror.configured(settings, self.engine)
        if self._mirror is not None:
            self._mirror.start()
        self._schedule = self._scheduled(settings.monitor_every)
        collect_seldom()

    @property
    def scorer(self) -> Scorer:
        """What predicts; raises ModelError where the model failed its self-test."""
        self._model.self_test.require(self._model.tag)
        return self._scorer

    def model(self) -> ServedModel:
        """Return the served model, also one that failed its self-test."""
        return self._model

    def card(self, language: Language) -> ModelCard:
        """Return the model's card, also of a model that failed its self-test."""
        return describe(self._model, language)

    def check(self) -> JournalState:
        """Make sure that predictions can be made and journalled; raises ChurnError where not."""
        self._model.self_test.require(self._model.tag)
        return self._with_batches(self._journal.check())

    def state(self) -> JournalState:
        """Return how the journal is; may read files."""
        return self._with_batches(self._journal.state())

    def _with_batches(self, state: JournalState) -> JournalState:
        return replace(state, waiting=state.waiting + self._helper.waiting)

    def close(self) -> None:
        """Write what waits, and let go of the database."""
        if self._schedule is not None:
            self._schedule.close()
        self.job_runner.close()
        self._helper.close()
        self._journal.close()
        if self._mirror is not None:
            self._mirror.close()
        self._last_used.close()
        self._maintenance.close()
        self.engine.dispose()

    def authenticator(self) -> Authenticator:
        """Return what finds the callers."""
        return self._authenticator

    def administration(self) -> Administration:
        """Return what changes users, tokens and sessions."""
        return Administration(self.engine)

    def events(self, since: datetime, kinds: Sequence[str]) -> Sequence[Event]:
        """Return the latest events of the audit log; waits for the database."""
        return events(self.engine, since, kinds=kinds)

    def jobs(self) -> Jobs:
        """Return the jobs of files."""
        return self.job_runner.jobs

    def left_out(self) -> Collection[str]:
        """Return the paths of pages that this service does without: Gradio's is an extra."""
        return () if self._settings.ui and has_gradio_page() else ("/ui",)

    def forgets(self) -> bool:
        """Return whether a restart takes the history away."""
        url = self._settings.database_url.get_secret_value()
        return places.forgets(url) and not self._settings.hf_dataset

    def frame_ancestors(self) -> tuple[str, ...]:
        """Return the origins whose pages may show ours in a frame."""
        return self._settings.frame_ancestors

    def history(self) -> History:
        """Return what reads the journal's predictions; it waits for the database."""
        return History(self.engine, self._settings.pseudonym_key.get_secret_value())

    def monitors(self) -> Monitors:
        """Return what looks at the journal."""
        return Monitors(self.engine, self._dictionary, self._model.tag)

    def _scheduled(self, every: timedelta | None) -> MonitorSchedule | None:
        if every is None:
            return None
        schedule = MonitorSchedule(self.engine, every, partial(look_at_all, self.monitors(), every))
        schedule.start()
        return schedule

    def sift(self, given: Placed) -> tuple[list[Outcome], list[OutcomeProblem]]:
        """Return the outcomes that can be stored, and why others cannot; waits for the database."""
        key = self._settings.pseudonym_key.get_secret_value()
        return sift(self.engine, given, partial(pseudonyms.stored_forms, key=key), datetime.now(UTC).date())

    async def record(self, call: Call) -> None:
        """Journal one call; durable on return."""
        call.model = self._model.tag
        await (call.batch or self._journal).record(call)

    async def answer(self, file: MemoryFile, language: Language) -> Batch:
        """Replace a file's list of employees by the answer to it, and return what journals that."""
        self._model.self_test.require(self._model.tag)
        return await self._helper.answer(file, language)
