"""The terminal user interface of modeltop: screens, panes and charts over snapshots.

Public face: __main__.
"""
