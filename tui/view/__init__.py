"""From a snapshot and a selection to lines of styled text: pure functions that need no screen.

Public face: acknowledgements, alerts, changes, chart, clipboard, diagnosis, header, line_edit, metrics, models,
multiples, navigation, news, periods, rows, silence_form, start, state, styled_text, verdict.
"""
