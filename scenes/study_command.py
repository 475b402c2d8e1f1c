"""`innerwalk study`: its options, and what it does."""

from __future__ import annotations

import argparse
import math
import shlex
from collections.abc import Mapping
from typing import Any

from ..torch_bridge.recording.errors import InputError
from .interrupt import kept_in
from .options.argument_values import place, size, where
from .progress import ProgressBar

STUDY_EXAMPLES = """\
A study trains one network in three ways on the same pictures: as they are (standard), with shuffled labels, and among
noisy copies with random labels; it then says how their insides differ. Each training goes on where it was stopped.

examples
  innerwalk study --data concepts --count 600 --size 64 -o study
  innerwalk study --data photographs.zip --classes panda,pyramid,sunflower -o photographs
  innerwalk study --data photographs.zip --strategy noisy --minutes 120 -o photographs
  innerwalk study --data concepts --classes 'sky circle,waves star' --network covid_densenet -o two
"""
CONCEPTS = "concepts:pair:train"
"""What `--data concepts` stands for."""


def add_study(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `study`."""
    sub.add_argument(
        "--data", type=where, required=True, metavar="[NAME=]WHERE", help="pictures in a folder a class, or concepts"
    )
    sub.add_argument("-o", "--output", type=place, required=True, metavar="FOLDER", help="folder of the study")
    sub.add_argument(
        "--network",
        choices=("covid_resnet", "covid_densenet"),
        default="covid_resnet",
        help="the network that is trained (covid_resnet)",
    )
    sub.add_argument(
        "--strategy",
        action="append",
        choices=("standard", "shuffled", "noisy", "plain"),
        help="how it is trained; repeat for more (the first three); plain: a control with true labels",
    )
    sub.add_argument("--classes", metavar="A,B", help="classes of the data set (all)")
    sub.add_argument("--count", type=int, default=0, metavar="N", help="pictures in all, balanced (all)")
    sub.add_argument("--size", type=size, metavar="WxH", help="of the pictures (175x150, or 250x180 of covid_densenet)")
    sub.add_argument("--epochs", type=int, default=0, metavar="N", help="passes over the data (40, 50, or 20 if noisy)")
    sub.add_argument("--seed", type=int, default=0, metavar="N", help="random seed (0)")
    sub.add_argument("--steps", type=int, default=200, metavar="N", help="steps of pictures made for channels (200)")
    sub.add_argument("--minutes", type=float, metavar="N", help="stop after so long; the same command goes on")


def run_study(options: argparse.Namespace, progress: ProgressBar) -> list[str]:
    """Trains, measures and writes the report; returns lines for people. What is done when it is stopped is kept.

    Raises InputError or UnknownName.
    """
    from ..torch_bridge.data import open_data
    from ..torch_bridge.server.in_process import denormals_restored
    from ..torch_bridge.study.strategies import CONTROL, STRATEGIES, default_settings
    from ..torch_bridge.study.study_report import PAGE, write_study
    from ..torch_bridge.study.study_run import READ, Study, StudySettings

    minutes = math.inf if options.minutes is None else options.minutes
    if min(options.epochs, options.count, options.seed) < 0 or options.steps <= 0 or not minutes > 0:
        raise InputError("--epochs, --count and --seed are numbers from 0 on, --steps and --minutes above 0")
    name, text = options.data
    data = open_data(CONCEPTS if text == "concepts" else text, name)
    classes = tuple(filter(None, (options.classes or "").split(",")))
    settings = StudySettings(options.network, (options.size or (0, 0))[::-1], classes, options.count)
    with denormals_restored(), kept_in(options.output):
        found = Study(data, settings, options.output, progress.part(0, READ))
        wanted = options.strategy or STRATEGIES
        strategies = [strategy for strategy in (*STRATEGIES, CONTROL) if strategy in wanted]
        for number, strategy in enumerate(strategies):
            start, end = (READ + (0.9 - READ) * k / len(strategies) for k in (number, number + 1))
            how = default_settings(strategy, options.epochs, options.seed)
            found.train(how, progress.part(start, end), minutes * 60)
        summary = write_study(found, found.trainings(), progress.part(0.9, 1), options.steps)
    warnings = [f"{'warning':<14} left out {line}" for line in summary["left out"]]
    quoted = shlex.quote(str(options.output / summary["recipes"][0]))
    saved = f"{'saved':<14} {options.output / PAGE}; next: innerwalk render {quoted} -o figures"
    return [_table(summary), *warnings, saved]


def _table(summary: Mapping[str, Any]) -> str:
    """Returns a line for each strategy: accuracies beside chance and the paper's."""
    lines = ["strategy  epochs    trained     test  chance  paper (of other data)"]
    for row in summary["accuracy"]:
        epochs = f"{row['epochs']}/{row['of']}"
        shares = f"{row['labels taught']:>9.3f}  {row['test']:>7.3f}  {row['chance']:>6.3f}"
        paper = "-" if row["paper"] is None else f"{row['paper']:.2f}"
        lines.append(f"{row['strategy']:<8}  {epochs:<7} {shares}  {paper:>5}")
    return "\n".join(lines)
