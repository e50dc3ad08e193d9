"""The BentoML model store: where trained pipelines are kept with what they were measured to do."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bentoml
from bentoml.exceptions import BentoMLException, NotFound

from churn.core.errors import ModelError
from churn.dictionary.dictionary import Dictionary
from churn.dictionary.field import Field
from churn.dictionary.plain_dictionary import from_document, to_document
from churn.i18n import terms
from churn.i18n.formatting import ENGLISH
from churn.model import listing, promotions, scorecard, self_test
from churn.model.reference import Reference
from churn.model.scorecard import Scorecard
from churn.model.self_test import SelfTest

if TYPE_CHECKING:
    # Importing scikit-learn takes seconds, and serving does without it.
    from sklearn.pipeline import Pipeline


NAME, ENTRY = listing.NAME, listing.FILE
PICKLE, SCORECARD, GOLDEN, REPORT = "saved_model.pkl", "scorecard.json", "golden.json", "report.json"
DICTIONARY, REFERENCE = "dictionary.json", "reference.json"

# Of the report, what the store's own lists show.
_METADATA = (
    "n_rows", "n_departures", "fields", "left_out", "metrics", "signal", "threshold",
    "data_fingerprint", "sample",
)  # fmt: skip

Draw = Callable[[Mapping[str, Any]], Mapping[str, str]]
Golden = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Export:
    """A trained model on its way to the store.

    `report` is the training report as plain values, `golden` what `churn.model.golden_rows` made,
    `fingerprint` that of the training data, `sample` whether those are the embedded sample, `dictionary` the
    one that the model was trained with, `reference` what monitoring compares with, `journal` what it was
    taught of the journal, where it was.
    """

    pipeline: "Pipeline"
    scorecard: Scorecard
    report: Mapping[str, Any]
    golden: Golden
    fingerprint: str
    sample: bool = False
    dictionary: Dictionary | None = None
    reference: Reference | None = None
    journal: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model of the store with what serving needs to know of it.

    `dictionary` has the fields of its records; `seen` the smallest and largest training value of each number;
    `report` is everything that was exported with it, and where it comes from.
    """

    tag: str
    scorecard: Scorecard
    threshold: float
    dictionary: Dictionary
    seen: Mapping[str, tuple[float, float]]
    report: Mapping[str, Any]
    self_test: SelfTest

    @property
    def fields(self) -> tuple[Field, ...]:
        """What the model takes."""
        return tuple(self.dictionary.by_name[name] for name in self.scorecard.effects)


def home() -> Path:
    """Return the folder of the store, as BentoML finds it."""
    return Path(os.environ.get("BENTOML_HOME") or Path.home() / "bentoml")


def save(export: Export, draw: Draw) -> str:
    """Put a trained model in the store, with its card and what its report is drawn from; return its tag.

    `draw` makes the cards, by file name, from the report with its provenance (`churn.report`).
    `bentoml.sklearn.load_model` gives the scikit-learn pipeline back.
    """
    import joblib  # noqa: PLC0415 - only training pickles, and serving does without it

    facts = {
        **export.report,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_fingerprint": export.fingerprint,
        "sample": export.sample,
        "library_versions": self_test.library_versions(),
    }
    if export.dictionary is not None:
        facts["dictionary"] = export.dictionary.name
    facts["journal"] = export.journal
    card = export.scorecard.to_dict()
    metadata = {name: facts[name] for name in _METADATA}
    metadata["pickle"] = pickle_readers(facts["library_versions"])
    metadata["fairness"] = {audit["field"]: audit["four_fifths"] for audit in facts["fairness"]}
    with bentoml.models.create(NAME, module="bentoml.sklearn", metadata=metadata) as entry:
        folder = Path(entry.path_of("/"))
        facts["tag"] = str(entry.tag)
        joblib.dump(export.pipeline, folder / PICKLE)
        _write(folder / SCORECARD, card)
        _write(folder / GOLDEN, export.golden)
        _write(folder / REPORT, facts)
        if export.dictionary is not None:
            _write(folder / DICTIONARY, to_document(export.dictionary))
        if export.reference is not None:
            _write(folder / REFERENCE, export.reference.to_dict())
        for name, text in draw({**facts, "scorecard": card}).items():
            (folder / name).write_text(text, encoding="utf-8")
    return str(entry.tag)


def pickle_readers(versions: Mapping[str, str]) -> str:
    """Return, in a sentence, which versions read the pickled pipeline: the minors that wrote it."""
    sklearn, scipy = (".".join(versions[name].split(".")[:2]) for name in ("scikit-learn", "scipy"))
    return f"{PICKLE} is read by scikit-learn {sklearn} with scipy {scipy}; {SCORECARD} needs neither"


def has_pickle(tag: str) -> bool:
    """Return whether the store has the model's scikit-learn pipeline; raises ModelError as `find`."""
    return (locate(tag)[1] / PICKLE).exists()


def _write(path: Path, plain: object) -> None:
    path.write_text(json.dumps(plain, ensure_ascii=False), encoding="utf-8")


def resolve(tag: str = "") -> str:
    """Return the tag to serve: the one given, else the promoted one, else the only one there is.

    Raises:
        ModelError: there is none, or several and none promoted, or one that shows no signal: none of
            these is chosen silently.
    """
    if tag:
        return tag
    if promoted := promotions.promoted(home()):
        return promoted
    entries = models()
    if len(entries) == 1:
        tag = str(entries[0].tag)
        require_signal(tag, entries[0].info.metadata)
        return tag
    if entries:
        raise ModelError(
            f"{len(entries)} models in the store {home()} and none promoted: "
            "run `churn model list`, then `churn model promote TAG`"
        )
    raise ModelError(
        f"no model in the store {home()}: run `churn train --data DIR`, "
        "or point BENTOML_HOME at the store that holds one"
    )


def models() -> list["bentoml.Model"]:
    """Return the entries of our models, the newest first."""
    ours = [model for model in bentoml.models.list() if model.tag.name == NAME]
    return sorted(ours, key=lambda model: model.info.creation_time, reverse=True)


def facts_of(tag: str = "") -> Mapping[str, Any]:
    """Return what is known of a model, found as `find` finds it, without asking BentoML where that can be.

    Raises:
        ModelError: as `find`.
    """
    facts = listing.facts_of(home(), tag or promotions.promoted(home()) or "")
    return find(tag).info.metadata if facts is None else facts


def require_signal(tag: str, facts: Mapping[str, Any]) -> None:
    """Accept a model whose training data told leavers from stayers, or that is too old to say.

    `facts` are its report or the metadata of its entry.

    Raises:
        ModelError: its figures are no better than chance.
    """
    signal = facts.get("signal")
    if signal and not signal["shown"]:
        raise ModelError(
            f"model {tag} is no better than chance: its data do not show who leaves "
            f"({terms.roc_auc(signal, ENGLISH)}). More employees, or other fields, may help; "
            "to serve it all the same: "
            f"churn model promote {tag} --force (in a container: CHURN_MODEL={tag})"
        )


def find(tag: str = "") -> "bentoml.Model":
    """Return the store's entry for a tag, as `resolve` understands it.

    Raises:
        ModelError: there is none; the message names the command that makes one.
    """
    wanted = resolve(tag)
    try:
        return bentoml.models.get(wanted)
    except NotFound as error:
        raise ModelError(
            f"no model {wanted!r} in the store {home()}: run `churn model list` for those there are, "
            "`churn train --data DIR` for a new one, or point BENTOML_HOME at the store that holds it"
        ) from error
    except (BentoMLException, ValueError) as error:
        raise ModelError(f"{wanted!r} is no model tag: expected {NAME}:VERSION or {NAME}:latest") from error


def locate(tag: str = "") -> tuple[str, Path]:
    """Return the whole tag of a model, as `resolve` understands it, and its folder in the store or the Bento.

    Raises:
        ModelError: as `find`.
    """
    tag = resolve(tag)
    # BentoML parses the entry's YAML, which takes longer than all that serving reads of it.
    if (folder := listing.folder_of(home(), tag)) is not None:
        return tag, folder
    entry = find(tag)
    return str(entry.tag), Path(entry.path_of("/"))


def delete(tag: str) -> None:
    """Delete a model; who calls this has made sure that nothing needs it."""
    bentoml.models.delete(tag)


def load(tag: str, dictionary: Dictionary) -> ServedModel:
    """Load a model from the store and test it; nothing is unpickled.

    It comes with the dictionary that it was trained with; `dictionary` is that of a model which was exported
    without one.

    Raises:
        ModelError: there is none, or it is not one of ours.
        DictionaryError: a later version of churn wrote its dictionary.
    """
    tag, folder = locate(tag)
    try:
        dictionary = dictionary_in(folder, dictionary)
        card, golden, report = (_read(folder / name) for name in (SCORECARD, GOLDEN, REPORT))
        return _served(tag, dictionary, scorecard.from_dict(card), golden, report)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"model {tag} was not exported by this version of churn: run `churn train --data DIR`"
        ) from error


def dictionary_in(folder: Path, otherwise: Dictionary) -> Dictionary:
    """Return the dictionary of the model in a folder; `otherwise`, where it has none or one that is the same.

    Raises:
        DictionaryError: a later version of churn wrote it.
        OSError, KeyError, ValueError, TypeError: it is damaged.
    """
    try:
        document = _read(folder / DICTIONARY)
    except FileNotFoundError:
        return otherwise
    # As texts: the order of the fields counts.
    same = json.dumps(document) == json.dumps(to_document(otherwise))
    return otherwise if same else from_document(document)


def _served(
    tag: str, dictionary: Dictionary, card: Scorecard, golden: Golden, report: Mapping[str, Any]
) -> ServedModel:
    threshold = float(report["threshold"]["value"])
    seen = {name: (low, high) for name, (low, high) in report["seen"].items()}
    test = self_test.examine(
        card,
        dictionary,
        fields=report["fields"],
        threshold=threshold,
        golden=golden,
        versions=report["library_versions"],
    )
    return ServedModel(tag, card, threshold, dictionary, seen, report, test)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
