"""Screens: the main one with its panes, and those that cover it for one purpose.

Public face: base, diagnosis, help, main, modal, periods, silence, start.
"""
