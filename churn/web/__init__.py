"""HTTP: the server, what every request passes through, and what the routes answer."""
