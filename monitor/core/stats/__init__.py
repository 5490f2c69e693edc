"""Statistics in pure numpy: scipy takes longer to import than all else together."""
