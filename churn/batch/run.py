"""One run: a table of employees scored into a file that is there whole or not at all."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from churn.batch import output
from churn.batch.layout import PLAIN, Layout
from churn.batch.output import RejectsFile, ScoresFile
from churn.batch.reasons import Reasons
from churn.batch.run_journal import RunJournal
from churn.batch.scores_workbook import ScoresWorkbook
from churn.batch.warnings import WarningCount, Warnings
from churn.core.atomic_file import replacing
from churn.core.errors import SettingsError
from churn.core.language import Language
from churn.core.progress import RowProgress
from churn.i18n import terms
from churn.ingest.rows import EmployeeTable, Rows, refusal
from churn.model.registry import ServedModel
from churn.model.vectorized import ColumnScorecard, Floats
from churn.schemas.bands import BANDS


@dataclass(frozen=True, slots=True)
class Files:
    """Where a run writes: the scores (CSV, Excel or Parquet, by the suffix), and the rejects (CSV)."""

    scores: Path
    rejects: Path
    overwrite: bool = False

    def check(self) -> None:
        """Refuse, before anything is read, what could not be written.

        Raises:
            SettingsError: a file is there and not to be overwritten, a folder is not, or the
                suffix is of none of these formats.
        """
        output.check_suffix(self.scores)
        if self.scores == self.rejects:
            raise SettingsError(
                f"{self.rejects.name} is the output already: name another file for the rejects"
            )
        for path in (self.scores, self.rejects):
            if path.is_dir() or not path.parent.is_dir():
                raise SettingsError(f"{path} cannot be written: name a file in a folder that is there")
            if path.exists() and not self.overwrite:
                raise SettingsError(f"{path} is already there: name another, or add --overwrite")


@dataclass(slots=True)
class Summary:
    """What a run did, in rows; `rejects` says whether there is a rejects file, `warned` what it warned of."""

    scored: int = 0
    flagged: int = 0
    rejected: int = 0
    rejects: bool = False
    warned: Sequence[WarningCount] = ()


class Run:
    """How tables are scored, with sentences in a language; `of_rejects` is that of what was expected.

    `run_journal` is None where nothing is to be journalled; `layout` is that of CSV files and workbooks.
    """

    def __init__(
        self,
        model: ServedModel,
        language: Language,
        *,
        strict: bool = False,
        run_journal: RunJournal | None = None,
        of_rejects: Language = "en",
        layout: Layout = PLAIN,
    ) -> None:
        self._model, self._strict = model, strict
        self._card = ColumnScorecard(model.scorecard, model.dictionary)
        self._reasons = Reasons(model.fields, language, model.scorecard.pairs.axes)
        self._language, self._of_rejects = language, of_rejects
        self._run_journal = run_journal
        self._layout = layout
        shown = layout.language
        self._band_names = [terms.BANDS[band][shown == "en"] if shown else band for band in BANDS]

    def score(self, table: EmployeeTable, files: Files, progress: RowProgress) -> Summary:
        """Score a table into files; they appear at the very end, or not at all.

        Raises:
            ExtractError: the table cannot be read.
            RejectedRowsError: it holds a bad row and the run is strict.
            SettingsError: the files cannot be written.
            DatabaseError: rows could not be journalled; those of earlier transactions are.
        """
        files.check()
        try:
            return self._score(table, files, progress)
        except OSError as error:
            raise SettingsError(f"{files.scores} cannot be written: {error}; nothing was left") from error

    def _score(self, table: EmployeeTable, files: Files, progress: RowProgress) -> Summary:
        summary, warnings = Summary(), Warnings(self._model, self._language)
        columns = output.schema(table.employee_type, journalled=self._run_journal is not None)
        rejects: RejectsFile | None = None
        # What is entered last ends first: the files appear when both are written, the scores last.
        with replacing(files.scores) as part, ExitStack() as stack:
            with output.scores_file(part, files.scores.suffix, columns, self._layout) as scores:
                for rows in table.batches():
                    if rows.rejects and self._strict:
                        raise refusal(rows.rejects, table.place)
                    if rows.rejects:
                        rejects = rejects or self._rejects_file(stack, files.rejects, table.place)
                        rejects.write(rows.rejects)
                    self._add(rows, scores, summary, warnings)
                    progress(summary.scored + summary.rejected, table.share())
            if rejects is None:
                files.rejects.unlink(missing_ok=True)  # of an earlier run, to be overwritten
        summary.rejects, summary.warned = rejects is not None, warnings.counts()
        return summary

    def _add(
        self, rows: Rows, scores: ScoresFile | ScoresWorkbook, summary: Summary, warnings: Warnings
    ) -> None:
        contributions = self._card.contributions_of(rows.cells, len(rows.numbers))
        probabilities = self._card.probabilities_of(contributions)
        flagged = probabilities >= self._model.threshold
        summary.scored += len(flagged)
        summary.flagged += int(np.count_nonzero(flagged))
        summary.rejected += rows.rejected
        arrays = [] if rows.employees is None else [rows.employees]
        arrays += [pa.array(rows.numbers), pa.array(probabilities), pa.array(flagged.astype(np.int8))]
        arrays += [self._bands(probabilities), *self._reasons.of(rows.cells, contributions)]
        arrays += [warnings.of(rows.cells, len(flagged)), *self._same_for_all(len(flagged))]
        if self._run_journal is not None:
            ids = self._run_journal.record(rows, contributions, probabilities)
            arrays.append(pa.array(ids, pa.string()))
        scores.write(arrays)

    def _bands(self, probabilities: Floats) -> Any:
        """Return the bands as `risk_band` does: the number of their lower ends that are reached."""
        threshold = self._model.threshold
        places = (probabilities >= threshold / 2).astype(np.int32) + (probabilities >= threshold)
        return pa.DictionaryArray.from_arrays(places, pa.array(self._band_names))

    def _same_for_all(self, rows: int) -> list[Any]:
        model = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), pa.array([self._model.tag]))
        threshold = np.full(rows, self._model.threshold)
        return [model, pa.array(threshold), pa.array(np.full(rows, self._run_journal is not None))]

    def _rejects_file(self, stack: ExitStack, path: Path, place: str) -> RejectsFile:
        part = stack.enter_context(replacing(path))
        file = stack.enter_context(part.open("w", encoding="utf-8", newline=""))
        return RejectsFile(file, place, self._of_rejects, self._layout)
