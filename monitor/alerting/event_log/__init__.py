"""The event log of one store: files of JSON lines behind checksums."""
