"""The pipeline that takes a snapshot, and the daemon that runs it on change and on a timer and notifies receivers.

Public face: clock, pipeline, output_cache, daemon, cycle, health, incident_tracker, leader, log, receiver_health,
sender_threads, sending.
"""
