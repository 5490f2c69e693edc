"""From a snapshot and a selection to what stands on the screen: pure, and without a screen."""
