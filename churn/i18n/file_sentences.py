"""What is said of people's files: what was expected in them, and how they are read."""

from collections.abc import Mapping, Sequence
from typing import Final

from churn.core.language import Bilingual
from churn.dictionary.field import Field
from churn.i18n import expectations

# What was expected of a whole file.
AN_EMPLOYEE: Final = Bilingual("au moins un employé sous l'en-tête", "at least one employee below the header")
A_SEEKABLE_FILE: Final = Bilingual(
    "un fichier qui peut être lu deux fois : enregistrer d'abord ce qui vient d'un tube",
    "a file that can be read twice: save what comes through a pipe first",
)
A_HEADER: Final = Bilingual("un en-tête", "a header")
SEPARATED_NAMES: Final = Bilingual(
    "des noms de colonnes, séparés par des virgules, des points-virgules, des tabulations ou des barres",
    "column names, separated by commas, semicolons, tabs or bars",
)
UTF_8: Final = Bilingual(
    "du texte en UTF-8 (dans Excel : « CSV UTF-8 »)", "UTF-8 text (in Excel: “CSV UTF-8”)"
)
ANOTHER_ENCODING: Final = Bilingual(
    "du texte en UTF-8, UTF-16 ou Windows-1252 : les accents de ce fichier sont codés autrement "
    "(dans Excel : « CSV UTF-8 »)",
    "text in UTF-8, UTF-16 or Windows-1252: the accents of this file are in another encoding "
    "(in Excel: “CSV UTF-8”)",
)
NO_QUOTED_LINES: Final = Bilingual(
    "une valeur par colonne : ici, chaque ligne entière est entre guillemets ; exporter de nouveau "
    "le fichier",
    "a value for each column: here each whole line stands in quotes; export the file again",
)
NO_TOTALS: Final = Bilingual(
    "un employé, et non une ligne de totaux : la supprimer", "an employee, not a row of totals: remove it"
)

SHORT_RECORDS: Final = Bilingual(
    "des enregistrements de quelques lignes : un guillemet est peut-être resté ouvert",
    "records of a few lines: a quote may have been left open",
)
THIS_COLUMN: Final = Bilingual("cette colonne, qui est absente", "this column, which is absent")

# What was expected of a workbook.
A_WORKBOOK: Final = Bilingual(
    "un classeur, dont --sheet choisit la feuille", "a workbook, whose sheet --sheet chooses"
)
NO_PASSWORD: Final = Bilingual(
    "un .xlsx sans mot de passe (ni l'ancien format d'Excel)",
    "an .xlsx without a password (or: not Excel's old format)",
)
A_SMALLER_WORKBOOK: Final = Bilingual(
    "un classeur plus petit : décompressé, il est trop grand", "a smaller workbook: unpacked it is too large"
)
NO_MACROS: Final = Bilingual(
    "un classeur sans macros : l'enregistrer au format .xlsx", "a workbook without macros: save it as .xlsx"
)
A_FILLED_SHEET: Final = Bilingual(
    "une feuille visible avec un en-tête et des employés", "a visible sheet with a header and employees"
)
FORMULAS_WITH_VALUES: Final = Bilingual(
    "des formules avec leur valeur : ouvrir le fichier dans Excel et l'enregistrer",
    "formulas with their values: open the file in Excel and save it",
)
NO_MERGED_CELLS: Final = Bilingual(
    "aucune cellule fusionnée sous l'en-tête : remplir chacune",
    "no merged cells below the header: fill each cell of its own",
)


def known_format(suffix: str) -> Bilingual:
    """Return that a file is of none of the formats that are read; of some workbooks, what to do."""
    is_workbook = suffix in (".xls", ".xlsb", ".xlsm", ".numbers")
    return Bilingual(
        "un fichier .csv, .xlsx, .ods ou .parquet, ou un dossier"
        + " : enregistrer ce classeur au format .xlsx" * is_workbook,
        "a .csv, .xlsx, .ods or .parquet file, or a folder" + ": save this workbook as .xlsx" * is_workbook,
    )


def readable(suffix: str, reason: str) -> Bilingual:
    """Return that a file cannot be read; `reason` is the system's or a library's word for it."""
    return Bilingual(f"un fichier {suffix} lisible ({reason})", f"a readable {suffix} file ({reason})")


def one_sheet(count: int) -> Bilingual:
    """Return that so many sheets may be meant."""
    return Bilingual(
        f"une seule feuille visible d'employés, et non {count} : masquer ou supprimer les autres, ou en "
        "nommer une avec --sheet",
        f"one visible sheet of employees, not {count}: hide or remove the others, or name one with --sheet",
    )


def a_sheet_of(names: Sequence[str]) -> Bilingual:
    """Return that a workbook has other sheets than the one asked for."""
    listed = ", ".join(names)
    return Bilingual(f"une de ses feuilles : {listed}", f"one of its sheets: {listed}")


_NOUNS: Mapping[str, str] = {"sheets": "feuilles", "columns": "colonnes", "rows": "lignes"}


def at_most(count: int, noun: str) -> Bilingual:
    """Return that there are too many sheets, columns or rows."""
    return Bilingual(f"au plus {count} {_NOUNS[noun]}", f"at most {count} {noun}")


def values(width: int, length: int) -> Bilingual:
    """Return that a row has too many or too few values."""
    return Bilingual(
        f"{width} valeurs, comme dans l'en-tête, et non {length}",
        f"{width} values, as in the header, not {length}",
    )


def text_or_numbers(kind: object) -> Bilingual:
    """Return that a column's cells are of a kind that no field has."""
    return Bilingual(
        f"une colonne de textes ou de nombres, et non {kind}", f"a column of text or numbers, not {kind}"
    )


def columns_of_ours(unknown: int, of: int) -> Bilingual:
    """Return what is expected of a header most of whose columns are unknown."""
    return Bilingual(
        f"les colonnes du dictionnaire ({unknown} de ces {of} n'en sont pas) ; si le fichier est celui d'une "
        "autre entreprise, churn dictionary draft FICHIER -o company.toml en fait un dictionnaire",
        f"the columns of the dictionary ({unknown} of these {of} are none of them); if the file is another "
        "company's, churn dictionary draft FILE -o company.toml makes a dictionary of it",
    )


def one_column(name: str, spelling: str) -> Bilingual:
    """Return that a second column stands for the same."""
    return Bilingual(
        f"une seule colonne pour {name} ; {spelling!r} l'est déjà",
        f"one column for {name}; {spelling!r} is it already",
    )


def unknown_column(meant: Field | None) -> Bilingual:
    """Return that a column is unknown, and which field it may stand for."""
    french, english = _if_meant(meant)
    return Bilingual(
        f"pas de telle colonne{french} : la renommer, la supprimer, ou la nommer avec --ignore-column",
        f"no such column{english}: rename it, remove it, or name it with --ignore-column",
    )


def unknown_name(meant: Field | None) -> Bilingual:
    """Return that an extract's column is unknown, and which field it may stand for."""
    french, english = _if_meant(meant)
    return Bilingual(
        f"pas de telle colonne{french} : ce nom est inconnu", f"no such column{english}: the name is unknown"
    )


def of_another_extract(extract: str) -> Bilingual:
    """Return that a column belongs elsewhere."""
    return Bilingual(
        f"pas de telle colonne ici : elle appartient à l'extrait {extract}",
        f"no such column here: it belongs to the {extract} extract",
    )


def _if_meant(field: Field | None) -> tuple[str, str]:
    if field is None:
        return "", ""
    return f", ou {field.name}, si c'est le sens voulu", f", or {field.name}, if that is meant"


def cell(field: Field, *, too_large: bool, may_be_empty: bool) -> Bilingual:
    """Return what a field's cell may hold."""
    french, english = (
        expectations.expected(field, language, too_large=too_large) for language in ("fr", "en")
    )
    return Bilingual(
        french + ", ou rien si inconnu" * may_be_empty, english + ", or nothing where unknown" * may_be_empty
    )


def one_file(candidates: Sequence[str], directory: object, present: Sequence[str]) -> Bilingual:
    """Return that an extract's file is missing, or there twice."""
    before, last = ", ".join(candidates[:-1]), candidates[-1]
    french = " et ".join(present) + " s'y trouvent" if present else "aucun n'y est"
    english = " and ".join(present) + " are there" if present else "none is there"
    return Bilingual(
        f"un fichier, {before} ou {last}, dans {directory} : {french}",
        f"one file, {before} or {last}, in {directory}: {english}",
    )


def held_too(file: str) -> Bilingual:
    """Return that an employee is missing in another file."""
    return Bilingual(f"un employé qui figure aussi dans {file}", f"an employee whom {file} holds too")


def held_once(line: int) -> Bilingual:
    """Return that an employee is there twice."""
    return Bilingual(
        f"chaque employé une fois ; celui-ci est à la ligne {line}",
        f"each employee once; line {line} has this one",
    )


def target_ignored(name: str) -> Bilingual:
    """Return that a column is what the model predicts."""
    return Bilingual(
        f"{name} est ce que le modèle prédit : ignoré", f"{name} is what the model predicts: ignored"
    )


def absent(names: Sequence[str]) -> Bilingual:
    """Return which columns are not there."""
    listed = ", ".join(names)
    return Bilingual(
        f"absentes, donc inconnues pour tous : {listed}", f"absent, so unknown for everybody: {listed}"
    )


def missing(sentence: Bilingual) -> Bilingual:
    """Return what was expected where the file says that a value is missing."""
    return Bilingual(
        f"une valeur, qui manque ici : {sentence.french}", f"a value, which is missing here: {sentence}"
    )


def in_file(file: str, notice: str) -> Bilingual:
    """Return a notice with its file."""
    french = notice.french if isinstance(notice, Bilingual) else notice
    return Bilingual(f"{file} : {french}", f"{file}: {notice}")


_MARKS: Mapping[str, tuple[str, str]] = {".": ("point", "point"), ",": ("virgule", "comma")}


def two_ways(mark: str) -> Bilingual:
    """Return that numbers can be read in two ways, for a mark that may part thousands."""
    french, english = _MARKS[mark]
    return Bilingual(
        f"des nombres qui se lisent d'une seule façon ; ici 1{mark}234 peut être 1234 (--thousands {mark}) "
        f"ou 1,234 (--decimal {mark}) : dire lequel, ou ôter ces {french}s "
        "(avec make : DECIMAL=. ou DECIMAL=,)",
        f"numbers that can be read in one way; here 1{mark}234 may be 1234 (--thousands {mark}) or 1.234 "
        f"(--decimal {mark}): say which, or leave such a {english} out (with make: DECIMAL=. or DECIMAL=,)",
    )


def read_as(name: str, mark: str, *, is_thousands: bool) -> Bilingual:
    """Return how a mark is read."""
    return Bilingual(
        f"{name} : 1{mark}234 est lu comme {'1234' if is_thousands else '1,234'}",
        f"{name}: 1{mark}234 is read as {'1234' if is_thousands else '1.234'}",
    )


def fractions(name: str, *, has_one: bool) -> Bilingual:
    """Return that percentages are read as fractions."""
    return Bilingual(
        f"{name} : les nombres sans % sont lus comme des fractions : 0,11 vaut 11 %"
        + ", 1 vaut 100 %" * has_one,
        f"{name}: numbers without % are read as fractions: 0.11 is 11 %" + ", 1 is 100 %" * has_one,
    )


def percentages(name: str) -> Bilingual:
    """Return that percentages are read as such, although some look like fractions."""
    return Bilingual(
        f"{name} : les nombres sans % sont lus en pour cent, car certains dépassent 1 : 0,11 vaut 0,11 %",
        f"{name}: numbers without % are read in percent, as some are above 1: 0.11 is 0.11 %",
    )


def one_percent(name: str) -> Bilingual:
    """Return that 1 is read as 1 %."""
    return Bilingual(
        f"{name} : 1 sans % peut être 1 % ou 100 %, et est lu comme 1 %",
        f"{name}: 1 without % may be 1 % or 100 %, and is read as 1 %",
    )
