"""Runs a network up to chosen layers with gradients and changes; receptive fields; rules for ReLU gradients."""
