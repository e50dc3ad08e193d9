"""Chores, each a script of its own."""
