"""Employee-turnover risk: trained from HR extracts, served with BentoML."""
