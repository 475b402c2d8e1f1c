"""The interface: operators and menu entries."""
