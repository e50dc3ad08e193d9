"""Figures and curves of out-of-fold probabilities, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import auc, precision_score, recall_score, roc_auc_score

from churn.training.evaluation import OutOfFold, calibration_error, confusion, curves


@pytest.fixture(scope="module")
def found() -> OutOfFold:
    random = np.random.default_rng(0)
    made = OutOfFold.empty(random.random(3000) < 0.3, repeats=2)
    noise = random.random((2, 3000))
    made.probabilities[:] = np.clip(0.3 + 0.3 * made.has_left + 0.5 * (noise - 0.5), 0, 1)
    made.thresholds[:] = [[0.4], [0.5]]
    made.flagged[:] = made.probabilities >= made.thresholds
    return made


def test_calibration_error_is_zero_where_every_bin_is_right_and_the_gap_where_none_is() -> None:
    has_left = np.array([True, False] * 50)
    assert calibration_error(has_left, np.full(100, 0.5)) == pytest.approx(0)
    assert calibration_error(has_left, np.full(100, 0.8)) == pytest.approx(0.3)
    halves = np.repeat([0.9, 0.1], 50)
    assert calibration_error(np.repeat([True, False], 50), halves) == pytest.approx(0.1)
    assert calibration_error(has_left, np.ones(100)) == pytest.approx(0.5)


def test_the_curves_are_those_of_all_repeats(found: OutOfFold) -> None:
    drawn = curves(found)
    has_left, probabilities, _ = found.everyone
    area = auc(*np.array(drawn.roc).T)
    assert area == pytest.approx(roc_auc_score(has_left, probabilities), abs=0.005)
    assert drawn.roc[0] == (0, 0)
    assert drawn.roc[-1] == (1, 1)
    assert len(drawn.roc) <= 200
    recalls, precisions = np.array(drawn.precision_recall).T
    assert recalls[0] == 1
    assert precisions[0] == pytest.approx(has_left.mean(), abs=1e-9)


def test_a_cut_does_what_its_threshold_does(found: OutOfFold) -> None:
    has_left, probabilities, _ = found.everyone
    for cut in curves(found).cuts:
        flagged = probabilities >= cut.threshold
        assert cut.flagged == pytest.approx(flagged.mean())
        assert cut.recall == pytest.approx(recall_score(has_left, flagged))
        assert cut.precision == pytest.approx(precision_score(has_left, flagged))


def test_bins_hold_everyone_once(found: OutOfFold) -> None:
    bins = curves(found).calibration
    assert sum(one.n for one in bins) == 3000
    assert np.mean([one.observed for one in bins]) == pytest.approx(found.has_left.mean())


def test_the_confusion_is_of_one_repeat_on_average(found: OutOfFold) -> None:
    counts = confusion(found)
    everyone = (counts.true_positives, counts.false_positives, counts.false_negatives, counts.true_negatives)
    assert sum(everyone) == 3000
    assert counts.true_positives + counts.false_negatives == found.has_left.sum()
    assert counts.true_positives + counts.false_positives == pytest.approx(found.flagged.sum() / 2)


def test_the_high_band_is_those_flagged(found: OutOfFold) -> None:
    bands = {one.band: one for one in curves(found).bands}
    assert bands["high"].share == pytest.approx(found.flagged.mean())
    assert sum(band.share for band in bands.values()) == pytest.approx(1)
    assert bands["low"].predicted < bands["moderate"].predicted < bands["high"].predicted
