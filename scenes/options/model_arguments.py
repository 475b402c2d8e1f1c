"""Options of the command line that describe a model and its input."""

from __future__ import annotations

import argparse

from ...torch_bridge.server.arguments import add_folder_argument, add_trust_argument
from .argument_values import ablated, channels, keyword, keywords, numbers, setting, size, where, window


def add_model(sub: argparse.ArgumentParser) -> None:
    """Adds the options that describe the model."""
    model = sub.add_argument_group("the model")
    add_folder_argument(model)
    add_trust_argument(model, "let MODEL run code from a .pt2 file, which you should trust")
    model.add_argument("--arguments", type=keywords, default={}, metavar="JSON", help="keyword arguments of MODEL")
    model.add_argument(
        "--weights",
        metavar="FILE",
        help=".safetensors or checkpoint file, or DEFAULT to download trained weights (random)",
    )
    model.add_argument(
        "--classes", metavar="FILE", help="JSON file with a list of class names, or an object from index to name"
    )
    model.add_argument(
        "--ablate",
        type=ablated,
        action="append",
        metavar="LAYER:0,5,8-11",
        help="set these channels of a layer to 0",
    )
    model.add_argument("--name", metavar="TEXT", help="name on the title board")
    model.add_argument("--seed", type=int, default=0, metavar="N", help="seed of random weights (0)")


def add_input(sub: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Adds the options that describe the input and its preprocessing."""
    what = sub.add_argument_group("the input; repeat --image or --input for a model with several inputs")
    what.add_argument("--image", dest="inputs", action="append", metavar="FILE", help="picture file")
    what.add_argument(
        "--input",
        dest="inputs",
        action="append",
        metavar="WHAT",
        help="picture, .npy, .npz, .safetensors (FILE:NAME chooses a tensor), sound or scan (.dcm, .nii), "
        "ids:1,2,3, text:WORDS or noise:SEED",
    )
    what.add_argument(
        "--keyword",
        dest="keywords",
        action="append",
        type=keyword,
        metavar="NAME=WHAT",
        help="an input that is passed by the name of its argument; repeat for more",
    )
    what.add_argument(
        "--vocabulary",
        metavar="FILE",
        help="words for text:WORDS, JSON {word: number} or a text file with a word a line",
    )
    what.add_argument(
        "--window",
        type=window,
        metavar="LOW:HIGH",
        help="levels of a grey picture that are black and white (its range)",
    )
    what.add_argument("--size", type=size, metavar="WxH", help="input size of the network, pixels")
    what.add_argument("--crop", type=float, metavar="SHARE", help="share of each side kept by the centre crop, 0..1")
    what.add_argument(
        "--stretch",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="scale both sides independently instead of keeping the aspect ratio",
    )
    what.add_argument("--mean", type=numbers, metavar="R,G,B", help="mean to subtract, for values 0..1")
    what.add_argument("--std", type=numbers, metavar="R,G,B", help="standard deviation to divide by, for values 0..1")
    what.add_argument("--colours", type=int, choices=(1, 3, 4), help="colour channels: 1 grey, 3 RGB, 4 RGBA")
    what.add_argument("--interpolation", metavar="FILTER", help="nearest, bilinear, bicubic, lanczos, box, hamming")
    what.add_argument("--index", type=int, default=0, metavar="N", help="sample of the batch to record (0)")
    return what


def add_grid(group: argparse._ArgumentGroup) -> None:
    """Adds the option that arranges tokens in rows and columns."""
    group.add_argument("--grid", type=size, metavar="WxH", help="columns x rows of tokens, when they can't be inferred")


def add_question(group: argparse._ArgumentGroup) -> None:
    """Adds the options of a method that is run: its channels, parameters and data."""
    group.add_argument(
        "--channels",
        type=channels,
        default=(),
        metavar="0,3,8-15",
        help="channels of these layers (all)",
    )
    group.add_argument(
        "--set",
        dest="parameters",
        type=setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the method",
    )
    group.add_argument(
        "--data",
        type=where,
        metavar="[NAME=]WHERE",
        help="a folder of pictures, a .zip, idx files, concepts:object or toybox",
    )
