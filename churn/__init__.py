"""Employee-turnover risk: trained from HR extracts, served with BentoML."""

__version__ = "0.1.0"
