"""The five panes and the lines around them; none knows another, nor the app."""
