"""Prediction logs into history: `job` does the work, `scheduled` has it done again and again."""
