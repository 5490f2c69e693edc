"""Statistics of one series: noise, season, change points, recent pattern, forecast."""
