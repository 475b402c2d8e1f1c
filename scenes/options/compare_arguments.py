"""Options of `innerwalk compare`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...torch_bridge.server.arguments import add_folder_argument, add_trust_argument
from .argument_values import iou, place, where

COMPARE_EXAMPLES = """\
MODEL is the same as for record, MODEL=WEIGHTS with a file of weights.

examples
  innerwalk compare my.nets:build --checkpoints runs/1 -o training            # how layers converge
  innerwalk compare my.nets:build=before.pt my.nets:build=after.pt -o tuned   # what fine-tuning changed
  innerwalk compare object pair -o networks                                   # which concepts only one detects
  innerwalk compare resnet50=a.pt vgg16=b.pt --data pictures -o networks      # pictures without labels: no concepts
"""


def add_compare(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `compare`: networks, pictures, rules of the dissection."""
    sub.add_argument("models", nargs="*", metavar="MODEL[=WEIGHTS]", help="networks; all are compared with the first")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="FOLDER", help="folder of the report")
    sub.add_argument(
        "--checkpoints",
        type=Path,
        metavar="FOLDER",
        help="the weights of a training run of one MODEL, by the epochs in their names",
    )
    sub.add_argument(
        "--networks",
        type=Path,
        metavar="FILE.json",
        help="networks by name, each with the options of record: model, weights, size [height, width] …",
    )
    add_folder_argument(sub)
    add_trust_argument(sub, "let the models in --networks run code: .pt2 files, functions and folders of modules")
    how = sub.add_argument_group("the comparison")
    how.add_argument("--data", type=where, metavar="[NAME=]WHERE", help="pictures, with masks to find concepts")
    how.add_argument("--layers", action="append", metavar="GLOB", help="layer ids, globs or panels (panels)")
    how.add_argument("--probe", type=int, default=100, metavar="N", help="pictures to compare layers by (100)")
    how.add_argument("--count", type=int, default=0, metavar="N", help="pictures to find concepts in (all)")
    how.add_argument(
        "--quantile", type=float, default=0.005, metavar="SHARE", help="share of positions in masks (.005)"
    )
    how.add_argument("--threshold", type=iou, default=0.04, metavar="IOU", help="IoU of a detector (.04)")
    how.add_argument("--device", default="", metavar="D", help="cuda, mps or cpu (the fastest available)")
