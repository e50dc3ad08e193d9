"""The fields of one employee: their names, kinds, ranges and categories."""
