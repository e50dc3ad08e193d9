"""The front matter of the model card, as Hugging Face reads it."""

from collections.abc import Mapping
from typing import Any

import yaml

from churn.i18n import terms
from churn.i18n.formatting import ENGLISH

# Their names in the Hub's library of metrics.
_HUB_METRICS = {
    "roc_auc": "roc_auc",
    "average_precision": "average_precision",
    "brier": "brier_score",
    "calibration_error": "expected_calibration_error",
    "f2": "f_beta",
    "recall": "recall",
    "precision": "precision",
}


def front_matter(facts: Mapping[str, Any]) -> str:
    """Return the YAML block between its dashes. The licence is the operator's to add."""
    front = {
        "language": ["fr", "en"],
        "library_name": "sklearn",
        "pipeline_tag": "tabular-classification",
        "tags": [
            "tabular-classification", "sklearn", "bentoml", "employee-turnover", "human-resources",
            "interpretable", "additive-model", "calibrated",
        ],
        "model-index": [{"name": facts["tag"], "results": [_result(facts)]}],
    }  # fmt: skip
    block: str = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    return f"---\n{block}---\n\n"


def _result(facts: Mapping[str, Any]) -> dict[str, Any]:
    made_up = "Embedded synthetic sample" if facts["sample"] else "Private HR extracts"
    return {
        "task": {"type": "tabular-classification", "name": "Employee turnover"},
        "dataset": {
            "name": f"{made_up}, cross-validated",
            "type": "hr-extracts",
            "revision": facts["data_fingerprint"],
        },
        "metrics": [
            {
                "type": kind,
                "name": ENGLISH.pick(terms.METRICS[name].name),
                "value": round(facts["metrics"][name]["mean"], 4),
            }
            for name, kind in _HUB_METRICS.items()
        ],
    }
