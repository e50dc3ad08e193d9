"""How a table of fields becomes columns with a coefficient each: splines, one-hot, and cells for pairs."""

from collections.abc import Collection, Sequence
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

from churn.dictionary.field import Field
from churn.model.boosting import Cells, category_cells
from churn.model.pairs import Axis, Cuts, Names

CURVES, LINES, CATEGORIES = "curves", "lines", "categories"
NUMBER_CELLS, CATEGORY_CELLS = "number cells", "category cells"


def build_encoder(
    fields: Sequence[Field], n_knots: int, degree: int, paired: Collection[str] = ()
) -> ColumnTransformer:
    """Return the unfitted encoder: from a table of these fields to columns with a coefficient each.

    Behind these are the cells of the `paired` fields, ordered as `cell_fields`.
    """
    numbers = names_of([field for field in fields if field.numeric])
    categories = [field for field in fields if not field.numeric]
    one_hot = OneHotEncoder(
        categories=[list(field.categories) for field in categories],
        handle_unknown="ignore",
        sparse_output=False,
    )
    blocks = [
        (CURVES, _splines(n_knots, degree), numbers),
        # A straight line is a sum of the splines, too. With columns of its own it costs less of the
        # penalty than any other curve: what the data do not contradict stays straight, not flat.
        (LINES, _splines(2, 1), numbers),
        (CATEGORIES, one_hot, names_of(categories)),
        *_cell_blocks(cell_fields(fields, paired)),
    ]
    # An encoder of no column at all would refuse to fit.
    return ColumnTransformer([block for block in blocks if block[2]])


def _cell_blocks(fields: Sequence[Field]) -> list[tuple[str, Any, list[str]]]:
    numbers = [field for field in fields if field.numeric]
    categories = [field for field in fields if not field.numeric]
    return [
        (NUMBER_CELLS, Cells(), names_of(numbers)),
        (CATEGORY_CELLS, category_cells(categories), names_of(categories)),
    ]


def cell_fields(fields: Sequence[Field], paired: Collection[str]) -> list[Field]:
    """Return those fields that are paired in the order of their cells: numbers first."""
    chosen = [field for field in fields if field.name in paired]
    return sorted(chosen, key=lambda field: not field.numeric)


def _splines(n_knots: int, degree: int) -> SplineTransformer:
    # Uniform knots: quantiles of a number with few distinct values coincide, and the block of a known
    # value may then be all zeros. A number that never varies has such a block: it teaches nothing.
    return SplineTransformer(
        n_knots=n_knots, degree=degree, knots="uniform", extrapolation="constant", handle_missing="zeros"
    )


def blocks_of(encoder: ColumnTransformer) -> dict[str, list[slice]]:
    """Return the columns of each field among the encoded ones, a block for each of its encoders."""
    blocks: dict[str, list[slice]] = {}
    start = 0
    for kind, part, names in encoder.transformers_:
        if kind in (NUMBER_CELLS, CATEGORY_CELLS):
            break
        for position, name in enumerate(names):
            width = (
                len(part.categories_[position]) if kind == CATEGORIES else part.n_features_out_ // len(names)
            )
            blocks.setdefault(name, []).append(slice(start, start + width))
            start += width
    return blocks


def cell_names(encoder: ColumnTransformer) -> list[str]:
    """Return the fields that are paired, in the order of their cells."""
    return [
        str(name)
        for kind, _, names in encoder.transformers_
        if kind in (NUMBER_CELLS, CATEGORY_CELLS)
        for name in names
    ]


def axes_of(encoder: ColumnTransformer) -> dict[str, Axis]:
    """Return where the cells of each paired field are, in their order."""
    axes: dict[str, Axis] = {}
    for kind, part, names in encoder.transformers_:
        if kind == NUMBER_CELLS:
            axes |= {str(n): Cuts(tuple(c.tolist())) for n, c in zip(names, part.cuts_, strict=True)}
        elif kind == CATEGORY_CELLS:
            axes |= {str(n): Names(tuple(map(str, c))) for n, c in zip(names, part.categories_, strict=True)}
    return axes


def names_of(fields: Sequence[Field]) -> list[str]:
    """Return the fields' canonical names."""
    return [field.name for field in fields]
