"""The command line: `churn …`."""
