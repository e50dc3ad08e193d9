"""The schema's history (Alembic); `churn db upgrade` runs it."""
