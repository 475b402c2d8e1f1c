"""Jobs that render a film on several machines with a shared disk, for a shell or for Slurm."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

SHELL = """\
#!/bin/sh
# Frames 1 to {count} in {tasks} parts. Run each line on a machine that sees this folder, or the whole script on one.
# A part that stopped is run again as it is: it renders what is missing. The last one to finish writes the film.
{lines}
wait
"""
SLURM = """\
#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{tasks}
#SBATCH --cpus-per-task=1
#SBATCH --requeue
# Frames 1 to {count} in {tasks} parts: sbatch THIS-FILE, on nodes that see this folder. A part that stopped renders
# what is missing when it is queued again. The last one to finish writes the film.
set -eu
export LP_NUM_THREADS="$SLURM_CPUS_PER_TASK" OMP_NUM_THREADS="$SLURM_CPUS_PER_TASK"
{command} --frames "$SLURM_ARRAY_TASK_ID-{count}:{tasks}"
"""


def shell_job(recipe: Path, out: Path, count: int, tasks: int, trust: bool) -> str:
    """Returns a script with a line for each task, which takes every `tasks`-th of `count` frames.

    trust: whether the recipe's network may run code.
    """
    command, tasks = _command(recipe, out, trust), min(tasks, count)
    lines = "\n".join(f"{command} --frames {first}-{count}:{tasks} &" for first in range(1, tasks + 1))
    return SHELL.format(count=count, tasks=tasks, lines=lines)


def slurm_job(recipe: Path, out: Path, count: int, tasks: int, trust: bool) -> str:
    """Returns a Slurm array job whose tasks take every `tasks`-th of `count` frames; trust: as in `shell_job`."""
    name = "".join(letter if letter.isalnum() else "-" for letter in recipe.stem) or "film"
    return SLURM.format(name=name, count=count, tasks=min(tasks, count), command=_command(recipe, out, trust))


def _command(recipe: Path, out: Path, trust: bool) -> str:
    return f"innerwalk render {shlex.quote(str(recipe))} -o {shlex.quote(str(out))}{' --trust' * trust}"


JOBS: dict[str, Callable[[Path, Path, int, int, bool], str]] = {"shell": shell_job, "slurm": slurm_job}
"""By the name of what runs them."""
