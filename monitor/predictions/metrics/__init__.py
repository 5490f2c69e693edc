"""Numbers from tallies: pure, vectorised over the cells of a tally. Measuring never judges."""
