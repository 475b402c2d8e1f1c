"""Runs the command line: `python -m innerwalk.scenes …` is `innerwalk …`."""

from .cli import run

run()
