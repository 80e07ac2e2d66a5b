"""A probability for each patient, and proof of who was seen in training."""
