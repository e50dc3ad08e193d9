"""`churn data`: what the journal holds, and what people may ask of it."""
