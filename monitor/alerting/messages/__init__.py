"""Messages to receivers, composed from notifications and a snapshot."""
