"""Options of `innerwalk render` that are about films, and those of `innerwalk farm`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...torch_bridge.recording.errors import InputError
from ...torch_bridge.server.arguments import add_trust_argument
from ..options.argument_values import place
from .farm_jobs import JOBS
from .film_job import FilmJob
from .frame_ranges import parse_frames

FARM_EXAMPLES = """\
Machines that share a disk render a film together: each takes some frames, and skips what is there already.

examples
  innerwalk farm walk.toml -o out --for slurm --tasks 20 > walk.sbatch && sbatch walk.sbatch
  innerwalk farm walk.toml -o out --for shell --tasks 4
"""


def add_film_job(sub: argparse.ArgumentParser) -> None:
    """Adds the options that say which frames of a film are rendered, and by whom."""
    film = sub.add_argument_group("the film; frames that are there already are kept")
    film.add_argument("--frames", type=frames, default=(), metavar="1-30", help="3,5-10 or 7-20:2; no figures then")
    film.add_argument("--workers", type=int, default=None, metavar="N", help="render frames in so many processes")
    film.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="render by the workers of a Dask scheduler: tls://host:8786"
    )
    film.add_argument(
        "--mixed",
        action="store_true",
        help="take frames of several versions or graphics drivers, which differ a little",
    )


def add_farm(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `farm`."""
    sub.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="FOLDER", help="where the film goes")
    sub.add_argument("--for", dest="job", choices=sorted(JOBS), required=True, help="what runs the job")
    add_trust_argument(sub, "let the recipe's network run code")
    sub.add_argument("--tasks", type=tasks, default=8, metavar="N", help="parts that the frames are divided into (8)")


def frames(text: str) -> tuple[range, ...]:
    """Parses "3,5-10,20-40:2"."""
    try:
        return parse_frames(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def tasks(text: str) -> int:
    """Parses a number of tasks."""
    if not text.isdecimal() or not 1 <= int(text[:6]) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number of tasks from 1 to 10000")
    return int(text)


def film_job(options: argparse.Namespace) -> FilmJob:
    """Returns the job that the options name. Raises InputError for one that can't be done."""
    job = FilmJob(options.frames, options.workers, options.scheduler, options.mixed)
    job.check()
    return job
