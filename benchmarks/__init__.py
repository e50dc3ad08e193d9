"""What is measured: one script a question, each with its `make` word."""
