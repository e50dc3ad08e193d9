"""The dictionaries that come with the software, each a TOML file beside this one.

`tests/test_dictionary_file.py` sees that they pass every check: at a start, they are only read.
"""

import tomllib
from pathlib import Path

from churn.dictionary.dictionary import Dictionary
from churn.dictionary.plain_dictionary import from_document

FOLDER = Path(__file__).parent
NAMES = ("technova", "ibm")


def path_of(name: str) -> Path:
    """Return the file of a dictionary in NAMES."""
    return FOLDER / f"{name}.toml"


def load(name: str) -> Dictionary:
    """Return a dictionary in NAMES."""
    return from_document(tomllib.loads(path_of(name).read_text(encoding="utf-8")))
