"""The pipeline that takes a snapshot, and the daemon that runs it on change and on a timer and notifies receivers.

Public face: pipeline, daemon, cycle, evaluate, health, leader, log, receivers, sender_threads, sending.
"""
