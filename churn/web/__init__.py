"""What the service shows to HTTP: the shape of its answers, the reading of bodies, its pages."""
