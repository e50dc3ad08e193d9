#!/usr/bin/env bash
# fairlearn 0.15.0 (PyPI), MetricFrame.ratio_ci(method="between_groups"), with scikit-learn 1.9.1, pandas 3.1.1, numpy 2.4.6.
#
# Guess before running: where everybody is selected by lot, at the same rate in four groups of 100, the whole 95 % interval
# of the ratio between the groups lies below 0.8 in about 1 of 20 companies at most.
# Seen: it does in nearly all of them (19 of 20). Each resample takes the least and the largest of four rates that
# vary by chance, and adds its own chance to that of the sample: the interval is that of a ratio which is lower than
# the ratio it is asked about, and more groups make it worse. With two groups it is right.
# What it means: a four-fifths verdict must not be read off this interval.
#
# Exit 0 while this is so, 1 once it is not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet fairlearn==0.15.0 scikit-learn==1.9.1 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - <<'PY'
import numpy as np
from fairlearn.metrics import MetricFrame, selection_rate

random = np.random.default_rng(0)


def whole_interval_below(groups: int, each: int, rate: float) -> bool:
    members = np.repeat(np.arange(groups), each)
    chosen = (random.random(groups * each) < rate).astype(int)
    frame = MetricFrame(
        metrics=selection_rate, y_true=chosen, y_pred=chosen, sensitive_features=members,
        n_boot=100, ci_quantiles=[0.025, 0.975], random_state=0,
    )
    return frame.ratio_ci(method="between_groups")[1] < 0.8


four = sum(whole_interval_below(4, 100, 0.05) for _ in range(20))
two = sum(whole_interval_below(2, 100, 0.3) for _ in range(20))
print(f"whole 95 % interval below 0.8 though chosen by lot: {four} of 20 with four groups, {two} of 20 with two")
raise SystemExit(0 if four >= 15 and two <= 3 else 1)
PY
