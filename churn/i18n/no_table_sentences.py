"""What is said of a file that is no table: what it is instead."""

from typing import Final

from churn.core.language import Bilingual

A_TABLE_OF_TEXT: Final = Bilingual(
    "un tableau en texte, et non des octets quelconques", "a table of text, not binary data"
)
NO_ARCHIVE: Final = Bilingual(
    "un tableau, et non une archive (.zip, .gz, .7z, .rar) : la décompresser d'abord",
    "a table, not an archive (.zip, .gz, .7z, .rar): unpack it first",
)
AN_OPEN_ARCHIVE: Final = Bilingual(
    "une archive lisible, sans mot de passe : la décompresser d'abord",
    "a readable archive without a password: unpack it first",
)
AN_ARCHIVE_OF_TABLES: Final = Bilingual(
    "une archive avec un seul tableau (.csv, .xlsx, .ods ou .parquet), ou avec les extraits, chacun une fois",
    "an archive with one table (.csv, .xlsx, .ods or .parquet), or with the extracts, each once",
)
NO_DOCUMENT: Final = Bilingual(
    "un tableau, et non un document (PDF, RTF) : l'exporter en CSV ou en .xlsx",
    "a table, not a document (PDF, RTF): export it as CSV or .xlsx",
)
NO_DATABASE: Final = Bilingual(
    "un tableau, et non une base de données : en exporter la table en CSV",
    "a table, not a database: export its table as CSV",
)
NO_POINTER: Final = Bilingual(
    "un tableau, et non le renvoi de Git LFS à un fichier : le récupérer avec « git lfs pull »",
    "a table, not Git LFS's pointer to one: fetch the file with “git lfs pull”",
)
NO_WEB_PAGE: Final = Bilingual(
    "un tableau, et non une page web ou du XML : l'ouvrir dans Excel et l'enregistrer en .xlsx",
    "a table, not a web page or XML: open it in Excel and save it as .xlsx",
)
NO_JSON: Final = Bilingual(
    "un tableau, et non du JSON : l'envoyer à POST /predict_batch, ou l'exporter en CSV",
    "a table, not JSON: send it to POST /predict_batch, or export it as CSV",
)
NO_CONFLICT: Final = Bilingual(
    "un tableau sans conflit de Git : choisir une des versions entre <<<<<<< et >>>>>>>",
    "a table without a Git conflict: choose one of the versions between <<<<<<< and >>>>>>>",
)
