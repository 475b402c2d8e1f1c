"""Card and menu of a walk."""
