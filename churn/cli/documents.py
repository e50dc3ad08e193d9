"""The report and the card of a model, as files."""

from pathlib import Path

from churn.model.registry import ServedModel
from churn.report.pages import render


def write_documents(model: ServedModel, folder: Path) -> list[Path]:
    """Draw a model's report and card into a folder, and return their paths.

    Raises:
        ModelError: the model is of another version of churn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    documents = render({**model.report, "scorecard": model.scorecard.to_dict()}, model.dictionary)
    for name, text in documents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(folder / name for name in documents)
