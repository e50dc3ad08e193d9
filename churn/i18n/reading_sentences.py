"""What is said of how a file is read."""

from collections.abc import Mapping, Sequence
from typing import Final

from churn.core.language import Bilingual
from churn.i18n.numbers import number

BROKEN_ACCENTS: Final = Bilingual(
    "des accents sont abîmés (Ã© pour é) : le fichier a été enregistré après avoir été ouvert dans le "
    "mauvais codage ; l'exporter de nouveau en UTF-8",
    "accents are broken (Ã© for é): the file was saved after it had been opened in the wrong encoding; "
    "export it again as UTF-8",
)


def titles(lines: int) -> Bilingual:
    """Return that lines above the header are passed over."""
    s = "s" * (lines > 1)
    return Bilingual(
        f"{lines} ligne{s} au-dessus de l'en-tête, laissée{s} de côté",
        f"{lines} line{s} above the header passed over",
    )


def hidden(rows: int, columns: int) -> Bilingual:
    """Return that hidden rows and columns of a sheet are read like the others."""
    parts = [(rows, "ligne", "row"), (columns, "colonne", "column")]
    french = [
        f"{count} {noun}{'s' * (count > 1)} masquée{'s' * (count > 1)}" for count, noun, _ in parts if count
    ]
    english = [f"{count} hidden {noun}{'s' * (count > 1)}" for count, _, noun in parts if count]
    return Bilingual(f"lues aussi : {' et '.join(french)}", f"read too: {' and '.join(english)}")


def unnamed(columns: Sequence[int]) -> Bilingual:
    """Return which columns without a name are passed over; counted from 1."""
    listed, s = ", ".join(map(str, columns)), "s" * (len(columns) > 1)
    return Bilingual(
        f"colonne{s} sans nom laissée{s} de côté : {listed}",
        f"column{s} without a name passed over: {listed}",
    )


_DELIMITERS: Mapping[str, tuple[str, str]] = {
    ",": ("virgules", "commas"),
    ";": ("points-virgules", "semicolons"),
    "\t": ("tabulations", "tabs"),
    "|": ("barres verticales", "bars"),
}
_ENCODINGS: Mapping[str, str] = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}
_FORMATS: Mapping[str, str] = {"xlsx": "Excel", "ods": "OpenDocument", "parquet": "Parquet"}


def encoding_name(encoding: str) -> str:
    """Return what people call an encoding, by what Python calls it."""
    return _ENCODINGS.get(encoding, "UTF-16")


def understood(
    file: str,
    kind: str,
    delimiter: str | None,
    encoding: str | None,
    *,
    decimal_comma: bool,
    rows: int | None,
    blanks: int,
    sheet: str | None,
) -> Bilingual:
    """Return how a file is read, in one line: what parts its values, its encoding, its rows, its sheet.

    `encoding` is as Python calls it.
    """
    french, english = [], []
    if delimiter is None:
        french, english = ([_FORMATS.get(kind, kind)] for _ in range(2))
    else:
        names = _DELIMITERS.get(delimiter, (f"« {delimiter} »", f"“{delimiter}”"))
        french, english = [names[0]], [names[1]]
        if decimal_comma:
            french.append("virgules décimales")
            english.append("decimal commas")
        french.append(encoding_name(encoding or ""))
        english.append(french[-1])
    if rows is not None:
        s = "s" * (rows != 1)
        french.append(f"{number(rows, 'fr')} ligne{'s' * (rows > 1)}")
        english.append(f"{number(rows, 'en')} row{s}")
    if blanks:
        s = "s" * (blanks > 1)
        french.append(f"{number(blanks, 'fr')} ligne{s} vide{s} laissée{s} de côté")
        english.append(f"{number(blanks, 'en')} blank row{s} passed over")
    if sheet is not None:
        french.append(f"feuille « {sheet} »")
        english.append(f"sheet “{sheet}”")
    return Bilingual(f"{file} : {', '.join(french)}", f"{file}: {', '.join(english)}")
