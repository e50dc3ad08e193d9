"""The company whose employees the commands are about: the one place of the command line that names it."""

from churn.dictionary.technova import TECHNOVA

DICTIONARY = TECHNOVA
