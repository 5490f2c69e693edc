"""Notifiers, a file for each type of receiver; `base` holds their contract and their registry."""
