"""Benchmark of found faults, named causes and advised steps: a real model, its log, `compute`, `check`."""
