"""The five panes and the lines around them; none knows another, nor the app.

Public face: header_footer, pane, panes.
"""
