"""What can be said to `serve`, the same for `innerwalk serve` and `python -m torch_bridge serve`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

CONNECTION = Path("innerwalk-bridge.json")
EXAMPLES = """\
examples
  innerwalk serve object
  innerwalk serve resnet50=resnet50.safetensors --data birds=~/pictures/birds
  innerwalk serve mypackage.nets:build=mine.pt vgg16 --port 8600
  innerwalk serve --networks networks.json       {"mine": {"model": "mypackage.nets:build", "size": [64, 64]}}

From another machine: ssh -L 8600:127.0.0.1:8600 HOST, copy innerwalk-bridge.json from there, and join with it.
"""


def add_serve_arguments(sub: argparse.ArgumentParser) -> None:
    """The arguments of `serve`; `order_arguments` turns them into those of `orders.order_of`."""
    sub.add_argument("models", nargs="*", metavar="MODEL[=WEIGHTS]", help="as for record; several are served at once")
    sub.add_argument(
        "--networks", type=Path, metavar="FILE.json", help="name -> model, weights, size … as record takes them"
    )
    sub.add_argument(
        "--data", type=data_argument, action="append", default=[], metavar="NAME=WHERE",
        help="a folder of pictures, a .zip, idx files, or concepts:object",
    )  # fmt: skip
    sub.add_argument("--device", default="", metavar="D", help="cuda, mps or cpu (the best there is)")
    sub.add_argument("--port", type=port_argument, default=0, metavar="N", help="of this machine's loopback (any that is free)")
    sub.add_argument(
        "--connection", type=Path, default=CONNECTION, metavar="FILE",
        help=f"holds port and token, for its owner's eyes only ({CONNECTION})",
    )  # fmt: skip


def config_arguments(said: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments of `orders.order_of`."""
    given = {name: getattr(said, name) for name in ("models", "networks", "device", "port")}
    return given | {"data": dict(said.data)}


def data_argument(text: str) -> tuple[str, str]:
    """ "birds=pictures/birds" -> ("birds", "pictures/birds")."""
    name, _, where = text.partition("=")
    if not name or not where:
        raise argparse.ArgumentTypeError(f"{text!r} is no data set; birds=pictures/birds would be")
    return name, where


def port_argument(text: str) -> int:
    """A TCP port, 0 for any."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; 0 to 65535 are")
    return int(text)
