"""Turns the tensors of a run into maps and keeps copies of the requested ones."""
