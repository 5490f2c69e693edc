"""History from CSV text: rows by line, or in volume by pandas; columns converted whole; faults explained by row."""
