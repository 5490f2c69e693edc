"""Incidents, silences, acknowledgements, routing, notifications and their event log: what Alertmanager does.

Public face: actions, dispatch, event_log.codec, event_log.event_log, event_log.location, event_log.segments, fleet,
grouping, incidents, messages.compose, messages.diagnosis_json, messages.explanation, messages.message,
messages.sparkline, notifiers.base, notifiers.http, routing, state, suppression, throttle, timeline
"""
