"""Score tables of employees: a stream of checked rows in, a file of scores out."""
