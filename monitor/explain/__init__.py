"""What a whole series shows: change points, trend, season. It explains and never alerts, so it may look ahead."""
