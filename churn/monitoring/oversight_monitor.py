"""The monitor of oversight: counts what people say about a model's predictions."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from churn.core.language import Language
from churn.dictionary.dictionary import Dictionary
from churn.model.scoring import ranked
from churn.monitoring.followed_rows import FollowedRows
from churn.monitoring.oversight import ENOUGH, by_name, disagreement, hindsight, verdict
from churn.monitoring.oversight_summary import notes, summary
from churn.monitoring.performance_monitor import group_of, horizon_of
from churn.monitoring.wording import worded
from churn.records.followed import followed
from churn.records.outcomes import newest
from churn.records.reviewed import ReviewedPrediction, predictions_to_review, reviewed
from churn.schemas.oversight_query import OversightQuery
from churn.schemas.oversight_report import Disagreement, Hindsight, OversightReport

if TYPE_CHECKING:
    from sqlalchemy import Engine

DEFAULT_WINDOW = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class OversightMonitor:
    """Looks at the reviews in one database; `dictionary` has the fields by whose groups they are told."""

    engine: "Engine"
    dictionary: Dictionary

    def look(self, query: OversightQuery, tag: str, language: Language) -> OversightReport:
        """Return how people oversee the model with a tag.

        Raises:
            ModelError: the model's reference is damaged.
            DatabaseError: the database cannot be read.
        """
        since, until = query.since, query.until
        if since is None and until is None:
            since = datetime.now(UTC) - DEFAULT_WINDOW
        ever = list(reviewed(self.engine, tag))
        lately = [one for one in ever if (not since or one.at >= since) and (not until or one.at < until)]
        predictions = predictions_to_review(self.engine, since, until, model=tag)
        whole = disagreement(lately)
        horizon = horizon_of(tag)
        answers = ("flagged" if one.flagged else "not_flagged" for one in lately)
        report = OversightReport(
            model=tag,
            verdict=verdict(predictions, whole),
            summary="",
            notes=[],
            since=since,
            until=until,
            horizon_days=horizon,
            predictions=predictions,
            enough=ENOUGH,
            reviewers=len({one.reviewer for one in lately}),
            whole=whole,
            by_answer=by_name(zip(answers, lately, strict=True)),
            by_field=by_name((self._leading(one), one) for one in lately),
            by_group=self._by_group(lately),
            hindsight=self._hindsight(tag, ever, horizon),
        )
        return self.tell(report, language)

    def tell(self, report: OversightReport, language: Language) -> OversightReport:
        """Return the same report in another language."""
        return worded(report, self.dictionary, language, summary=summary, notes=notes)

    def _leading(self, one: ReviewedPrediction) -> str | None:
        """Return the field of a prediction's first reason, as its page shows it."""
        if not one.values or not one.contributions:
            return None
        protected = {field.name for field in self.dictionary.protected}
        known = {name: value for name, value in one.values.items() if name in one.contributions}
        reasons = ranked(known, one.contributions, protected)
        return next((name for _, name, _, _ in reasons if name in self.dictionary.by_name), None)

    def _by_group(self, lately: list[ReviewedPrediction]) -> list[Disagreement]:
        found = []
        for name in self.dictionary.audited:
            field = self.dictionary.by_name[name]
            found += by_name(((group_of(field, (one.record or {}).get(name)), one) for one in lately), name)
        return found

    def _hindsight(self, tag: str, ever: list[ReviewedPrediction], horizon: int) -> Hindsight | None:
        disagrees = {one.id: one.disagrees for one in ever}
        if not disagrees:
            return None
        rows = FollowedRows({outcome.employee_id: outcome for outcome in newest(self.engine)}, horizon)
        rows.choose(one for one in followed(self.engine, [tag]) if one.id in disagrees)
        return hindsight(rows, disagrees)
