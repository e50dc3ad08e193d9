"""A first dictionary of a company, drafted from its files for somebody to review."""
