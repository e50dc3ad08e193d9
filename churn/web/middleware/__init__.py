"""What every request passes through, each a plain ASGI middleware."""
