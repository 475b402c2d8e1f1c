"""Printed jobs name each frame once, and are valid shell."""

import re
import subprocess
from pathlib import Path

import pytest

from innerwalk.scenes.film_files.farm_jobs import JOBS
from innerwalk.scenes.film_files.frame_ranges import choose_frames, parse_frames

WHERE = Path("my film's") / "walk $HOME.toml", Path("out put")


@pytest.mark.parametrize(("count", "tasks"), [(10, 3), (2, 8), (7, 1)])
@pytest.mark.parametrize("name", JOBS)
def test_all_tasks_together_render_each_frame_once(tmp_path, name, count, tasks):
    """The scripts run, with a stand-in for innerwalk that notes its arguments."""
    script, noted = JOBS[name](*WHERE, count, tasks, False), tmp_path / "noted"
    stand_in = 'innerwalk() { line=$(printf "%s|" "$@"); echo "$line"; }\n'  # one write: they run side by side
    wanted = re.search(r"--array=1-(\d+)", script)
    for task in range(1, int(wanted[1]) + 1 if wanted else 2):
        known = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_CPUS_PER_TASK": "1"}
        with noted.open("a") as file:
            subprocess.run(["bash", "-c", stand_in + script], env=known, stdout=file, check=True)
    calls = [line.split("|")[:-1] for line in noted.read_text().splitlines()]
    assert all(call[:5] == ["render", str(WHERE[0]), "-o", str(WHERE[1]), "--frames"] for call in calls)
    assert sorted(frame for call in calls for frame in choose_frames(parse_frames(call[5]), count)) == [
        *range(1, count + 1)
    ]


@pytest.mark.parametrize("name", JOBS)
def test_what_is_trusted_here_is_trusted_by_each_task(name):
    lines = [line for line in JOBS[name](*WHERE, 9, 3, True).splitlines() if line.startswith("innerwalk")]
    assert lines and all(" --trust --frames" in line for line in lines)
