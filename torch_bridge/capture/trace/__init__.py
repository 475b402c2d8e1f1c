"""Traces the module calls and torch operations of a run, and which layers every tensor came from."""
