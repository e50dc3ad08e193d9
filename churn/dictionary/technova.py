"""TechnoVa: the company whose dictionary holds where no other is named."""

from churn.dictionary.embedded_files import load

TECHNOVA = load("technova")
