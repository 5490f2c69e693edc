"""Charts in terminal cells, drawn with plotext and Rich; knows nothing of the app.

Public face: data, draw.
"""
