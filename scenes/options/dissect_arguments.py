"""Options of `innerwalk dissect`."""

from __future__ import annotations

import argparse

from .argument_values import iou, place, shard, where, workers
from .model_arguments import add_grid, add_input, add_model

DISSECT_EXAMPLES = """\
examples
  innerwalk dissect object -o dissected                                       # over the pictures it comes with
  innerwalk dissect resnet50 --weights DEFAULT --data broden1_224 -o dissected --workers 4
  innerwalk dissect object -o dissected --shard 2/3                           # on one of three machines, twice
"""


def add_dissect(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `dissect`: data and rules, then model and input as in `record`."""
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="FOLDER", help="folder of the report")
    how = sub.add_argument_group("the dissection")
    how.add_argument("--data", type=where, metavar="[NAME=]WHERE", help="pictures with masks, or concepts:object")
    how.add_argument("--layers", action="append", metavar="GLOB", help="layer ids, globs or panels (panels)")
    how.add_argument("--count", type=int, default=0, metavar="N", help="pictures to look at, the first ones (all)")
    how.add_argument(
        "--quantile", type=float, default=0.005, metavar="SHARE", help="share of positions in masks (.005)"
    )
    how.add_argument("--threshold", type=iou, default=0.04, metavar="IOU", help="IoU of a detector (.04)")
    how.add_argument(
        "--rule",
        choices=("category", "plain"),
        default="category",
        help="which pixels of masks count: on pictures with a label of the category under the mask, or all (category)",
    )
    how.add_argument(
        "--rotation", type=int, default=0, metavar="SEED", help="rotate units at random, as a control (0: no)"
    )
    how.add_argument(
        "--alignment",
        choices=("even", "receptive-field"),
        default="even",
        help="how maps are laid over pictures: spread evenly, or each position at the centre of its receptive field "
        "(even)",
    )
    how.add_argument(
        "--vectors", action="store_true", help="learn concept vectors too: combinations of units that cover a concept"
    )
    how.add_argument("--workers", type=workers, default=1, metavar="N", help="processes that share the pictures (1)")
    how.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="run by the workers of a Dask scheduler: tls://host:8786"
    )
    how.add_argument(
        "--shard", type=shard, default=(1, 1), metavar="I/N", help="run only every N-th part, from the I-th on"
    )
    how.add_argument("--device", default="", metavar="D", help="cuda, mps or cpu (the fastest available)")
    add_model(sub)
    add_grid(add_input(sub))
