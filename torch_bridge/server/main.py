"""Main function of `python -m torch_bridge serve MODEL…`, which needs no other package of the repository."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import TextIO

from ..recording.errors import InnerwalkError, as_line
from .arguments import EXAMPLES, Parser, add_serve_arguments, config_arguments
from .config import serve_config
from .start import join_instructions, open_with_connection_file

INTERRUPTED = 130
"""Exit status after Ctrl-C or SIGTERM."""


def serve(argv: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM and return the exit status; writes the address to standard output."""
    parser = Parser(prog="python -m torch_bridge")
    serve_parser = parser.add_subparsers(dest="command", required=True, metavar="serve").add_parser(
        "serve",
        epilog=EXAMPLES.replace("innerwalk serve", "python -m torch_bridge serve"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_serve_arguments(serve_parser)
    arguments = parser.parse_args(argv)
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP, and nohup ignores it
        if signal.getsignal(number := getattr(signal, name, signal.SIGTERM)) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        config = serve_config(**config_arguments(arguments))
        with open_with_connection_file(config, arguments.connection) as server:
            _write_line(sys.stdout, join_instructions(config, server, arguments.connection))
            server.serve_forever()
    except InnerwalkError as error:
        _write_line(sys.stderr, as_line(f"torch_bridge: {error}"))
        return 2
    except KeyboardInterrupt:
        _write_line(sys.stderr, "\ntorch_bridge: the bridge has ended")
    os._exit(INTERRUPTED)  # without waiting for threads of torch that may still run


def _write_line(stream: TextIO, text: str) -> None:
    stream.write(text + "\n")
    stream.flush()
