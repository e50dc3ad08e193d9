"""The write side of the log: every call, durable before it is answered."""
