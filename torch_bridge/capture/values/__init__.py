"""Turns the tensors of a run into maps and keeps copies of those that were asked for."""
