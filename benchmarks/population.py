"""A population like the embedded sample's, large enough to be the truth of a simulation."""

import numpy as np
from numpy.typing import NDArray

from churn.dictionary.technova import TECHNOVA
from churn.model.reference import SCORE_BINS, FieldReference, Moments, Reference
from churn.model.sample import facts, make_employees
from churn.training.reference_figures import field_reference

ROWS = 200_000
OVERTIME, PAY = "heure_supplementaires", "revenu_mensuel"


class Population:
    """People whose every field is known, with the log-odds of the sample's own model.

    `values` has a number's values, or the place of each category.
    """

    def __init__(self, rows: int = ROWS) -> None:
        self.rows, self._table = rows, make_employees(rows, seed=1)
        self.values: dict[str, NDArray[np.float64]] = {}
        self.log_odds = np.full(rows, facts().base_value)
        for field in TECHNOVA.features:
            column = self._table[field.name]
            places = {category: place for place, category in enumerate(field.categories)}
            numbers = column if field.numeric else column.map(places)
            self.values[field.name] = values = np.asarray(numbers, dtype=np.float64)
            if effect := facts().effects.get(field.name):
                at = [place if field.numeric else places[place] for place in effect["at"]]
                order = np.argsort(at)
                log_odds = np.array(effect["log_odds"])
                self.log_odds += np.interp(values, np.array(at)[order], log_odds[order])

    def reference(self, drawn: NDArray[np.intp]) -> Reference:
        """Return the reference of a model that has learned from some of the people."""
        table, log_odds, none = self._table.iloc[drawn], self.log_odds[drawn], np.zeros(len(drawn))
        fields = [field_reference(field, table[field.name], none) for field in TECHNOVA.features]
        moments = Moments(float(log_odds.mean()), float(log_odds.var(ddof=1)))
        return Reference(len(drawn), 0.0, moments, (0,) * SCORE_BINS, 0, tuple(fields))

    def codes(self, field: FieldReference) -> NDArray[np.uint8]:
        """Return the bin of each of the people."""
        values = self.values[field.name]
        places = values if field.categories else np.searchsorted(field.cuts, values, side="right")
        return places.astype(np.uint8)
