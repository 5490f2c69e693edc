"""Screens: the desk with its panes, and what needs a screen of its own."""
