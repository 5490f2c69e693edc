"""Threads beside the screen: polling, diagnosis, writing events.

Public face: diagnosis, event_writer, poller.
"""
