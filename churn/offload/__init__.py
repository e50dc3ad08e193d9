"""Large batches, in a process of their own: the worker that serves others only passes their bytes on."""
