"""Runs a network once and records every layer: its graph, its values, its attention and its kernels."""
