"""Engines that open prediction logs and run queries over them; each is imported only when it is opened."""
