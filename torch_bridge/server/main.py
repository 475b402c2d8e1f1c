"""`python -m torch_bridge serve MODEL…`, for where only this room is installed."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import TextIO

from ..recording.errors import InnerwalkError
from .arguments import EXAMPLES, add_serve_arguments, config_arguments
from .config import serve_config
from .start import joinable, welcome

STOPPED = 130


def serve(words: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit status. Says where it listens on standard output."""
    top = argparse.ArgumentParser(prog="python -m torch_bridge")
    formatter = argparse.RawDescriptionHelpFormatter
    sub = top.add_subparsers(dest="command", required=True, metavar="serve").add_parser(
        "serve", epilog=EXAMPLES.replace("innerwalk serve", "python -m torch_bridge serve"), formatter_class=formatter
    )
    add_serve_arguments(sub)
    said = top.parse_args(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        order = serve_config(**config_arguments(said))
        with joinable(order, said.connection) as server:
            _say(sys.stdout, welcome(order, server, said.connection))
            server.serve_forever()
    except InnerwalkError as error:
        _say(sys.stderr, f"torch_bridge: {error}")
        return 2
    except KeyboardInterrupt:
        _say(sys.stderr, "\ntorch_bridge: the bridge has ended")
    os._exit(STOPPED)  # a thread of torch's may still be at work


def _say(stream: TextIO, text: str) -> None:
    stream.write(text + "\n")
    stream.flush()
