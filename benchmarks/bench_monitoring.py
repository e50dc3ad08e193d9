"""The monitoring by simulation: false alarms and power beside fixed PSI, bias and intervals of outcomes.

python -m benchmarks.bench_monitoring [--runs N] [--short]

Employees are drawn from a large population like the embedded sample's, whose fields depend on each other. In
every run, the reference is a new sample of 1,470 of them, and 26 weeks of predictions follow it. The last
line is one JSON object.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.population import OVERTIME, PAY, Population
from benchmarks.simulated_outcomes import (
    BIASED,
    HORIZON,
    LEAST_COVERAGE,
    MOST_BIAS,
    PERIOD,
    SIZES,
    Estimate,
    simulate,
)
from churn.model.reference import FieldReference
from churn.monitoring.drift import examine, verdict
from churn.monitoring.stability_index import stability_index
from churn.monitoring.window import FieldWindow, Window
from churn.schemas.drift_report import DriftFigures

REFERENCE_ROWS, WEEKS = 1_470, 26
WEEKLY = (50, 200, 1_000, 10_000)  # predictions in a week
POWER_ROWS = 1_000
OUTCOME_RUNS, OUTCOME_RUNS_SHORT = 1_000, 10
RUNS, SHORT_RUNS = 200, 4
RULES = ("churn", "PSI > 0.2", "PSI > 0.1")
MOST_FALSE_ALARMS = 0.05
# What a look at POWER_ROWS has to see, and how often.
LEAST_POWER = {"overtime 28 → 40 %": 0.95, "income + 10 %": 0.7, "income 10 % unknown": 1.0}

Rows = NDArray[np.intp]
Codes = Mapping[str, NDArray[np.uint8]]
Counts = Mapping[str, NDArray[np.intp]]


def main() -> None:
    """Simulate, print the tables and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="references that are drawn")
    parser.add_argument("--short", action="store_true", help="few of them, to see that it runs")
    options = parser.parse_args()
    runs, start = SHORT_RUNS if options.short else options.runs, time.perf_counter()
    population, random = Population(), np.random.default_rng(18)
    alarms: dict[int, list[list[bool]]] = defaultdict(list)
    power: dict[str, list[list[bool]]] = defaultdict(list)
    for _ in range(runs):
        simulation = Simulation(population, random)
        for size in WEEKLY:
            looks = [simulation.calm(size) for _ in range(WEEKS)]
            alarms[size].append(np.any(looks, axis=0).tolist())
        for drift in LEAST_POWER:
            power[drift].append(simulation.drifted(drift))
    plain = _print(alarms, power, runs)
    plain |= _print_outcomes(simulate(OUTCOME_RUNS_SHORT if options.short else OUTCOME_RUNS, random))
    print(f"\n{time.perf_counter() - start:.0f} s\n")
    print(json.dumps({"runs": runs, **plain}))


class Simulation:
    """One reference, and looks at predictions that follow it."""

    def __init__(self, population: Population, random: np.random.Generator) -> None:
        self._random, self._population = random, population
        drawn = self._draw(REFERENCE_ROWS)
        self.reference = population.reference(drawn)
        self._codes: Codes = {field.name: population.codes(field) for field in self.reference.fields}

    def calm(self, size: int) -> list[bool]:
        """Return which RULES alarm at a look at people like those of the reference."""
        rows = self._draw(size)
        look, window = self._look(rows, self._counts(rows))
        return self._alarms(window.fields, verdict(look) == "drift")

    def drifted(self, drift: str) -> list[bool]:
        """Return which RULES see that a field has moved; an alarm of another field is none."""
        rows = self._draw(POWER_ROWS)
        name = OVERTIME if drift.startswith("overtime") else PAY
        field = next(field for field in self.reference.fields if field.name == name)
        moved = self._moved(drift, field, rows)
        counts = {**self._counts(rows), name: np.bincount(moved, minlength=len(field.counts))}
        look, window = self._look(rows, counts)
        own = next(found for found in look.fields if found.name == name)
        return self._alarms([f for f in window.fields if f.reference is field], own.alarm)

    def _moved(self, drift: str, field: FieldReference, rows: Rows) -> NDArray[np.intp]:
        if drift.startswith("overtime"):
            yes = field.categories.index("Oui")
            return np.where(self._random.random(len(rows)) < 0.4, yes, 1 - yes)
        if drift.endswith("unknown"):
            codes = self._codes[field.name][rows].astype(np.intp)
            codes[self._random.random(len(rows)) < 0.1] = len(field.counts) - 1
            return codes
        raised = np.round(self._population.values[field.name][rows] * 1.1)
        return np.searchsorted(field.cuts, raised, side="right")

    def _draw(self, size: int) -> Rows:
        return self._random.integers(0, self._population.rows, size)

    def _counts(self, rows: Rows) -> Counts:
        return {
            field.name: np.bincount(self._codes[field.name][rows], minlength=len(field.counts))
            for field in self.reference.fields
        }

    def _look(self, rows: Rows, counts: Counts) -> tuple[DriftFigures, Window]:
        """Return a look at some rows; attribution is not what is measured, and stays empty."""
        log_odds = self._population.log_odds[rows]
        fields = [FieldWindow(field, counts[field.name].tolist()) for field in self.reference.fields]
        total, squares = float(log_odds.sum()), float(np.square(log_odds).sum())
        window = Window(fields, len(rows), 0, total, squares)
        return examine(self.reference, window), window

    @staticmethod
    def _alarms(fields: Sequence[FieldWindow], alarm: bool) -> list[bool]:
        psi = max(stability_index(field.reference.counts, field.counts) for field in fields)
        return [alarm, psi > 0.2, psi > 0.1]


def _print(
    alarms: Mapping[int, list[list[bool]]],
    power: Mapping[str, list[list[bool]]],
    runs: int,
) -> dict[str, Any]:
    print(f"False alarms in {WEEKS} weekly looks without any drift, of {runs} references\n")
    print("{:<24}{:>12}{:>12}{:>12}{:>10}".format("predictions a week", *RULES, "at most"))
    plain: dict[str, Any] = {}
    for size, found in alarms.items():
        shares = np.mean(found, axis=0).tolist()
        print(f"{size:<24,}" + "".join(f"{share:>12.3f}" for share in shares) + f"{MOST_FALSE_ALARMS:>10}")
        plain[f"false_alarms_{size}"] = dict(zip(RULES, shares, strict=True))
    print(f"\nPower of one look at {POWER_ROWS:,} predictions\n")
    print("{:<24}{:>12}{:>12}{:>12}{:>10}".format("drift", *RULES, "at least"))
    for drift, found in power.items():
        shares = np.mean(found, axis=0).tolist()
        print(f"{drift:<24}" + "".join(f"{share:>12.3f}" for share in shares) + f"{LEAST_POWER[drift]:>10}")
        plain[f"power_{drift}"] = dict(zip(RULES, shares, strict=True))
    return plain


def _print_outcomes(found: Iterator[tuple[int, Mapping[str, Estimate]]]) -> dict[str, Any]:
    print(f"\nOutcomes within {HORIZON:.0f} days of predictions over {PERIOD:.0f}, where the truth is known")
    print(
        f"(bars: bias of rate, ROC-AUC and recall at most {MOST_BIAS}, coverage at least {LEAST_COVERAGE})\n"
    )
    print(
        "{:<10}{:<20}{:>8}{:>9}{:>8}{:>10}".format("leavers", "figure", "truth", "bias", "± sd", "coverage")
    )
    plain: dict[str, Any] = {}
    for size, estimates in found:
        for name, e in estimates.items():
            is_met = e.coverage >= LEAST_COVERAGE and (name not in BIASED or abs(e.bias) <= MOST_BIAS)
            print(
                f"{SIZES[size]:<10}{name:<20}{e.truth:>8.3f}{e.bias:>+9.4f}{e.spread:>8.3f}{e.coverage:>10.3f}"
                + "  missed" * (not is_met)
            )
        plain[f"outcomes_{SIZES[size]}_leavers"] = {
            name: {"bias": e.bias, "coverage": e.coverage} for name, e in estimates.items()
        }
    return plain


if __name__ == "__main__":
    main()
