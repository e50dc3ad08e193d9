"""Two models on the same employees."""

import numpy as np
import pytest

from churn.core.errors import TrainingError
from churn.training.comparison import Scores, compare

RANDOM = np.random.default_rng(0)
LEFT = RANDOM.random(800) < 0.3
GOOD = np.clip(0.25 + 0.4 * LEFT + 0.2 * RANDOM.standard_normal(800), 0.01, 0.99)
CHANCE = RANDOM.random(800)
DRAWS = 60  # enough for differences as plain as these


def test_a_better_model_is_better_beyond_chance() -> None:
    told: list[tuple[int, int]] = []
    found = compare(
        LEFT,
        Scores(CHANCE, 0.5),
        Scores(GOOD, 0.5),
        resamples=DRAWS,
        progress=lambda *step: told.append(step),
    )
    assert found["roc_auc"].second - found["roc_auc"].first > 0.3
    assert found["roc_auc"].low > 0.2
    assert found["roc_auc"].beyond_chance
    assert found["brier"].high < 0
    assert told == [(done, DRAWS) for done in range(1, DRAWS + 1)]


def test_a_model_is_not_better_than_itself() -> None:
    same = Scores(GOOD, 0.5)
    found = compare(LEFT, same, same, resamples=DRAWS, progress=lambda *_: None)
    for difference in found.values():
        assert (difference.first, difference.low, difference.high) == (difference.second, 0, 0)
        assert not difference.beyond_chance


def test_a_little_noise_is_not_beyond_chance() -> None:
    noisy = Scores(np.clip(GOOD + 0.02 * RANDOM.standard_normal(800), 0.01, 0.99), 0.5)
    found = compare(LEFT, Scores(GOOD, 0.5), noisy, resamples=DRAWS, progress=lambda *_: None)["roc_auc"]
    assert found.low < found.second - found.first < found.high
    assert not found.beyond_chance


def test_employees_of_one_kind_measure_nothing() -> None:
    with pytest.raises(TrainingError, match="expected both"):
        compare(
            np.ones(50, dtype=bool),
            Scores(GOOD[:50], 0.5),
            Scores(GOOD[:50], 0.5),
            progress=lambda *_: None,
        )
