"""The company whose employees most tests are about, and what is made of its dictionary."""

from typing import Any

from churn.dictionary.technova import TECHNOVA
from churn.schemas.employee import request_models
from churn.web.parsing import Parser

EXAMPLE: dict[str, Any] = dict(TECHNOVA.example)
MODELS = request_models(TECHNOVA)
PARSER = Parser(MODELS)
EXTRACTS = {extract.name: extract for extract in TECHNOVA.extracts}
