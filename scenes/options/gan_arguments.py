"""Options of `innerwalk gan_dissect`."""

from __future__ import annotations

import argparse
from pathlib import Path

from .argument_values import iou, place
from .model_arguments import add_grid, add_input, add_model

GAN_EXAMPLES = """\
examples
  innerwalk gan_dissect generator -o dissected                               # units and what they paint
  innerwalk gan_dissect generator --layers up2.norm --concept ring -o ring   # and which of them make rings
  innerwalk gan_dissect generator --votes votes.csv --top 5 -o artefacts     # units that go with artefacts
  innerwalk gan_dissect my.nets:G --weights g.safetensors --segmenter my.nets:S=s.safetensors -o mine
"""


def add_gan_dissect(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `gan_dissect`: pictures, segmenter and questions, then model and input as in `record`."""
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="FOLDER", help="folder of the report")
    how = sub.add_argument_group("the dissection")
    how.add_argument("--layers", action="append", metavar="GLOB", help="layer ids, globs or panels (all convolutions)")
    how.add_argument("--count", type=_count, default=200, metavar="N", help="pictures to draw (200)")
    how.add_argument(
        "--segmenter",
        default="",
        metavar="MODEL[=WEIGHTS]",
        help="network that says what pixels show (of the shipped generator: exact masks, and its own segmenter)",
    )
    how.add_argument(
        "--thresholds",
        choices=("information", "quantile"),
        default="information",
        help="a unit's threshold: by information quality ratio, or by a share of positions (information)",
    )
    how.add_argument("--quantile", type=float, default=0.005, metavar="SHARE", help="that share (.005)")
    how.add_argument("--threshold", type=iou, default=0.04, metavar="IOU", help="IoU of a detector (.04)")
    how.add_argument(
        "--concept",
        dest="concepts",
        action="append",
        default=[],
        metavar="NAME",
        help="also find the units that cause it",
    )
    how.add_argument("--top", type=_count, default=8, metavar="N", help="units of a set (8)")
    how.add_argument(
        "--votes", type=Path, metavar="FILE", help="CSV with the columns seed and artefact: rank units by artefacts"
    )
    how.add_argument("--device", default="", metavar="D", help="cuda, mps or cpu (the fastest available)")
    add_model(sub)
    add_grid(add_input(sub))


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 100000")
    return int(text)
