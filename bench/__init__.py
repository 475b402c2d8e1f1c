"""Measures beside their budgets. Every module here with a `measure()` is run by `python -m innerwalk.bench`."""
