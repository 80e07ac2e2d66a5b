"""How good a probability is: discrimination, calibration, usefulness, for whom."""
