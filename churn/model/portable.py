"""A model on its way to where it only serves: without its pickle, which serving does not read."""

import shutil
from pathlib import Path

import yaml

from churn.core.errors import ModelError
from churn.model import promotions, registry

# Where a wheel carries a model of the sample, for first starts without the packages of training.
CARRIED = Path(__file__).with_name("sample_model")


def send(tag: str, store: Path) -> Path:
    """Copy a model to the folder of another store, readable by everyone; return its own folder there.

    Raises:
        ModelError: there is none.
    """
    entry = registry.find(tag)
    folder = store / entry.tag.name / str(entry.tag.version)
    folder.mkdir(parents=True)
    for path in sorted(Path(entry.path_of("/")).iterdir()):
        if path.name not in (registry.PICKLE, registry.ENTRY):
            shutil.copyfile(path, folder / path.name)
    facts = yaml.safe_load(Path(entry.path_of(registry.ENTRY)).read_text(encoding="utf-8"))
    facts["metadata"].pop("pickle", None)
    (folder / registry.ENTRY).write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")
    return folder


def adopt(home: Path) -> str:
    """Take the model that this installation carries into the store and promote it; return its tag.

    Raises:
        ModelError: it carries none.
    """
    carried = sorted(CARRIED.glob("*/*"))
    if not carried:
        raise ModelError("no model comes with this installation")
    folder = carried[-1]
    tag = f"{folder.parent.name}:{folder.name}"
    target = home / "models" / folder.parent.name / folder.name
    if not target.exists():
        shutil.copytree(folder, target)
    promotions.promote(home, tag)
    return tag
