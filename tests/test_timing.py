"""What the time of a refusal tells: not whether a name is somebody's."""

import statistics
import time
from collections.abc import Sequence

from churn.access.passwords import ROUNDS
from churn.journal.flood_counter import STORED
from harness.identities import a_user, basic
from tests.conftest import Served

WRONG = "wrong horse battery"
SAMPLES = STORED - 4  # of each: where each known name had a budget of rows, all of them would be stored


def refused_in(served: Served, name: str) -> float:
    """Return the seconds that a sign-in took which was refused."""
    started = time.perf_counter()
    answer = served.client.get("/model", headers={"Authorization": basic(name, WRONG)})
    took = time.perf_counter() - started
    assert answer.status_code == 401
    return took


def precedence(some: Sequence[float], others: Sequence[float]) -> float:
    """Return how likely one of the first is longer than one of the second (Mann and Whitney's U, scaled)."""
    pairs = [(a > b) + (a == b) / 2 for a in some for b in others]
    return statistics.fmean(pairs)


def test_a_name_that_somebody_has_is_refused_as_quickly_as_any(served: Served) -> None:
    a_user(served.engine, "marie", rounds=ROUNDS)
    for name in ("marie", "nobody"):
        refused_in(served, name)  # the passwords are hashed now: what follows is remembered, and quick
    for _ in range(STORED):
        refused_in(served, "nobody")  # from now on, names that nobody has are only counted
    known, unknown = [], []
    for _ in range(SAMPLES):  # in turn: what else the machine does slows both
        known.append(refused_in(served, "marie"))
        unknown.append(refused_in(served, "nobody"))
    # Of equals, 0.5 with a standard deviation of 0.1.
    assert 0.1 < precedence(known, unknown) < 0.9, (known, unknown)
