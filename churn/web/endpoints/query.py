"""The parameters of a query, read by the model that describes them."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams

from churn.core.errors import FieldError, InvalidInputError
from churn.web.parsing import MAX_ERRORS, readable

Query = TypeVar("Query", bound=BaseModel)


def read_query(model: type[Query], parameters: QueryParams) -> Query:
    """Return the query of a request.

    Raises:
        InvalidInputError: a parameter is unknown, given twice or malformed; one entry for each.
    """
    kinds = {name: "repeated_parameter" for name in model.model_fields if len(parameters.getlist(name)) > 1}
    try:
        query = model.model_validate(dict(parameters))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        kinds = {str(detail["loc"][0]): detail["type"] for detail in details} | kinds
    if kinds:
        errors = [_error(name, kinds[name]) for name in parameters if name in kinds]
        raise InvalidInputError(errors[:MAX_ERRORS]) from None
    return query


def _error(name: str, kind: str) -> FieldError:
    """Return the error for a parameter; never its value."""
    if kind == "extra_forbidden":
        return FieldError(("query", readable(name)), "unknown_parameter")
    return FieldError(("query", name), kind)
