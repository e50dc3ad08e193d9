"""Employee-turnover risk: trained from HR extracts, served with BentoML."""

from pathlib import Path

__version__ = "0.1.0"

# The checkout, or the source folder of a Bento: where `.env` and `service.py` are.
PROJECT = Path(__file__).parents[1]
