"""Two readers of history in CSV text, which agree: a tolerant one for any text, a vectorized one for sound text."""
