"""Inputs of a network: image files, arrays and noise, their preprocessing, and what a network expects."""
