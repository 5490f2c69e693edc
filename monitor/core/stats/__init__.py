"""Statistics in pure numpy: importing scipy would be slower than all other imports together."""
