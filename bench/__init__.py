"""Benchmarks and their budgets: `python -m innerwalk.bench` runs every module here that has a `measure()`."""

__all__: list[str] = []
