"""Why a model got worse and what to do; pure: it explains and never alerts.

Public face: diagnose, phrases, patterns, timeseries.forecast, timeseries.pattern.
"""
