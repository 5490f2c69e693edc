"""A folder of CSV files that any script may read and append to."""
