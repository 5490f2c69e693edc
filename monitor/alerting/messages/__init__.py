"""What receivers are told: `base` has the nouns, `compose` makes them, `words` and `chart` write them down."""
