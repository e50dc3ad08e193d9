"""Delivery: what may leave this machine, and how it gets to a Hugging Face Space."""
