"""Series, alerts, incidents, events and diagnoses, the metric registry, statistics, text and errors; no I/O.

Public face: diagnosis, distribution, errors, event, incident, metrics.estimated, metrics.registry, series,
stats.autocorrelation, stats.cusum, stats.distributions, stats.intervals, stats.robust, stats.rolling,
stats.trend_tests, text
"""
