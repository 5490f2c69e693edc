"""Metric history in and out: CSV files that anyone may write, the append-only store, computed files, and export.

Public face: collisions, csv.cells, csv.date_formats, csv.dates, csv.dialect, csv.parser, discovery, export, files,
formats, frames, future_rows, locations, log_columns, merge, reader, recording, store.computed, store.computed_format,
store.distributions, store.durable, store.lock, store.paths, store.retention, store.row_format, store.writer, tables
"""
