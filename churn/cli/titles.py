"""What the figures of a model are called on the console."""

TITLES = {
    "roc_auc": "ROC-AUC",
    "roc_auc_core_only": "ROC-AUC, core fields only",
    "average_precision": "average precision",
    "brier": "Brier score (lower is better)",
    "log_loss": "log loss (lower is better)",
    "calibration_error": "calibration error (lower is better)",
    "f2": "F2 at the threshold",
    "recall": "recall at the threshold",
    "precision": "precision at the threshold",
    "flagged": "flagged at the threshold",
}

SHORT_TITLES = {
    "roc_auc": "ROC-AUC",
    "average_precision": "avg. precision",
    "brier": "Brier",
    "calibration_error": "calibration error",
}
