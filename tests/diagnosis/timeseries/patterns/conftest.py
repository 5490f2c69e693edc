from tests.diagnosis.timeseries.conftest import daily, fleet, forecasts, shares

__all__ = ["daily", "fleet", "forecasts", "shares"]  # pytest finds fixtures by name
