"""What is kept: the tables, the engine and the journal."""
