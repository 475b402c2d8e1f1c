"""Command-line arguments of `serve`, the same for `innerwalk serve` and `python -m torch_bridge serve`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from ..recording.errors import as_line, nearest

CONNECTION = Path("innerwalk-bridge.json")
EXAMPLES = """\
examples
  innerwalk serve object
  innerwalk serve resnet50=resnet50.safetensors --data birds=~/pictures/birds
  innerwalk serve mypackage.nets:build=mine.pt vgg16 --port 8600
  innerwalk serve --networks networks.json --trust    {"mine": {"model": "mypackage.nets:build", "size": [64, 64]}}

From another machine: ssh -L 8600:127.0.0.1:8600 HOST, copy innerwalk-bridge.json from there, and join with it.
"""


class Parser(argparse.ArgumentParser):
    """Argument parser that reports an error in one line, with what is near a wrong option or choice."""

    def error(self, message: str) -> NoReturn:
        """Prints the message and exits with status 2."""
        see = " See" if message.endswith("?") else "; see"
        self.exit(2, as_line(f"{self.prog}: {message}{see} {self.prog} --help") + "\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parses arguments as argparse does, and refuses unknown ones here, where the options are known."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            hint = nearest(unknown[0].partition("=")[0], self._option_string_actions) if unknown[0][:1] == "-" else ""
            self.error(f"unknown argument {unknown[0]!r}" + (hint and f"; {hint}"))
        return parsed, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices: list[Any] = list(action.choices or [value])
        if value not in choices and (hint := nearest(str(value), map(str, choices))):
            raise argparse.ArgumentError(action, f"there is no {value!r}; {hint}")
        super()._check_value(action, value)


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `serve` to a parser; `config_arguments` reads them."""
    parser.add_argument(
        "models", nargs="*", metavar="MODEL[=WEIGHTS]", help="a model as for record; several can be served at once"
    )
    parser.add_argument(
        "--networks",
        type=Path,
        metavar="FILE.json",
        help="networks by name, each with the options of record: model, weights, size [height, width] …",
    )
    parser.add_argument(
        "--data",
        type=data_argument,
        action="append",
        default=[],
        metavar="NAME=WHERE",
        help="a data set to choose inputs from: a folder of images, a .zip, idx files, concepts:object or toybox",
    )
    add_folder_argument(parser)
    add_trust_argument(parser, "let the models in --networks run code: .pt2 files, functions and folders of modules")
    parser.add_argument("--device", default="", metavar="D", help="cuda, mps or cpu (default: the fastest available)")
    parser.add_argument(
        "--port", type=port_argument, default=0, metavar="N", help="port on this machine's loopback (default: any free)"
    )
    parser.add_argument(
        "--connection",
        type=Path,
        default=CONNECTION,
        metavar="FILE",
        help=f"file for the port and the token, readable by its owner only (default: {CONNECTION})",
    )


def add_folder_argument(parser: argparse._ActionsContainer) -> None:
    """Add the argument that says where the modules of MODEL are."""
    parser.add_argument(
        "--folder", metavar="FOLDER", help="where the modules of mypackage.nets:build are (the current one)"
    )


def add_trust_argument(parser: argparse._ActionsContainer, text: str) -> None:
    """Add the flag that lets a file run its code; text: what it does here."""
    parser.add_argument("--trust", action="store_true", help=text)


def config_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    """Parsed arguments as keyword arguments of `config.serve_config`."""
    names = ("models", "networks", "device", "port", "folder", "trust")
    return {name: getattr(arguments, name) for name in names} | {"data": dict(arguments.data)}


def data_argument(text: str) -> tuple[str, str]:
    """Parse NAME=WHERE: "birds=pictures/birds" -> ("birds", "pictures/birds")."""
    name, _, where = text.partition("=")
    if not name or not where:
        raise argparse.ArgumentTypeError(f"{text!r} is not a data set; write it like birds=pictures/birds")
    return name, where


def port_argument(text: str) -> int:
    """Parse a TCP port; 0 means any free port."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; ports are 0 to 65535")
    return int(text)
