"""Metric history in and out: files that anyone may write, services, the append-only store, and export.

Public face: collisions, csv.cells, csv.date_formats, csv.dates, csv.dialect, csv.layout, csv.number_formats,
csv.parser, discovery, export, files, formats, frames, future_rows, inspection, locations, log_columns, merge, patterns,
reader, recording, sources, store.computed, store.computed_format, store.distributions, store.durable,
store.generation, store.lock, store.paths, store.retention, store.row_format, store.windowing,
store.writer, tables
"""
