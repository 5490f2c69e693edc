"""Small statistics, pure numpy: scipy costs more to import than all else together."""
