"""The read side of the log: history, audit, privacy, integrity."""
