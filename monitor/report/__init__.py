"""A snapshot as text, markdown or JSON."""
