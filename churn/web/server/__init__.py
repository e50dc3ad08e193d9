"""The server below the application: its protocol, its workers, its limits."""
