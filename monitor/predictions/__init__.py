"""Prediction logs to metric history: read by an engine, aggregated by period, computed, stored and scheduled.

Public face: job, progress, scheduler, spec
"""
