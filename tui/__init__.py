"""The terminal user interface: panes, screens and charts over snapshots of `modeltop`."""
