"""Parts that all of the interface uses."""
