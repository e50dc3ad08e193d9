"""Real servers, databases and clients, for tests, benchmarks and scripts."""
