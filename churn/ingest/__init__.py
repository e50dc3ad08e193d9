"""Reads people's files: extracts to be joined, and flat files to be scored."""
