"""The model: built, kept in the store, and scored with."""
