"""Monitoring: what has moved since training, told from the journal and the model's reference."""
