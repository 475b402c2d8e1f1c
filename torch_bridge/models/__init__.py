"""Builds networks by name, factory or exported program, loads weights and chooses a device."""
