"""`churn model`: which models there are, which one serves, and which is better."""
