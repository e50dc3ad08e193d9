"""`churn monitor`: what has moved since a model was trained."""
