"""The mirror: the journal's batches, copied to a private dataset on the Hub, and put back at a start."""
