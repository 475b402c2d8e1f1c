"""Runs the command line: `python -m innerwalk.scenes …` is `innerwalk …`."""

import os


def run() -> None:
    """Runs one command and ends the process; Ctrl-C is one line even while modules are being imported."""
    try:
        from .cli import run as run_command

        run_command()
    except KeyboardInterrupt:
        os.write(2, b"\ninnerwalk: stopped; unfinished files were removed\n")
        os._exit(130)


if __name__ == "__main__":
    run()
