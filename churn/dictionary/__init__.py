"""The fields of a company's employees: their names, kinds, ranges and categories."""
