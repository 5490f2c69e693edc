"""Reports of a snapshot as text, markdown, JSON and HTML, and of rules replayed over the past.

Public face: backtest, html, json, markdown, notebook, phrases, suggested_config, summary, text_report, timeline,
trend_line
"""
