"""Employees of whom it is known who left, from a folder or a flat file."""

from pathlib import Path

import pandas as pd
import pytest

from churn.core.errors import ExtractError
from churn.dictionary.technova import TECHNOVA
from churn.ingest import extracts
from churn.ingest.labelled import read_labelled
from tests.support.tables import EMPLOYEES, write


def test_a_folder_is_read_as_for_training(sample: Path) -> None:
    pd.testing.assert_frame_equal(read_labelled(sample, TECHNOVA), extracts.read(sample, TECHNOVA))


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
def test_a_flat_file_gives_the_same_columns(tmp_path: Path, sample: Path, name: str) -> None:
    whole = extracts.read(sample, TECHNOVA)
    read = read_labelled(write(tmp_path / name, whole), TECHNOVA)
    pd.testing.assert_frame_equal(read, whole)


def test_ids_may_be_text_or_absent_and_optional_fields_unknown(tmp_path: Path, sample: Path) -> None:
    table = EMPLOYEES.head(3)
    text = read_labelled(write(tmp_path / "text.csv", table.assign(employee_id=["E1", "E2", "E3"])), TECHNOVA)
    assert text["employee_id"].tolist() == ["E1", "E2", "E3"]
    less = read_labelled(
        write(tmp_path / "less.csv", table.drop(columns=["employee_id", "poste", "age"])), TECHNOVA
    )
    assert less["employee_id"].tolist() == [1, 2, 3]
    assert less[["poste", "age"]].isna().all(axis=None)
    assert (less.dtypes == extracts.read(sample, TECHNOVA).dtypes).all()


def test_the_target_is_required_and_checked(tmp_path: Path) -> None:
    without = write(tmp_path / "in.csv", EMPLOYEES.drop(columns=TECHNOVA.target.name))
    with pytest.raises(ExtractError, match=r"a_quitte_l_entreprise: this column, which is absent"):
        read_labelled(without, TECHNOVA)
    table = EMPLOYEES.head(4).astype({TECHNOVA.target.name: object})
    table.loc[2, TECHNOVA.target.name] = "bientôt"
    with pytest.raises(ExtractError, match=r"in.csv: row 3, a_quitte_l_entreprise: one of: Oui, Non$"):
        read_labelled(write(tmp_path / "in.csv", table), TECHNOVA)
