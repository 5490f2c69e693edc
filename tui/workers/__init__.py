"""Threads beside the screen: polling, diagnosis, writing events, reading timelines.

Public face: diagnosis, event_writer, poller, timeline.
"""
