"""A snapshot as text, markdown, JSON or HTML, with the reasons why models alert."""
