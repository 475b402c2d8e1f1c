"""A film that is stopped, by whom or whatever, keeps its frames and goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from innerwalk.tests.films.conftest import SECONDS, innerwalk, wait_for
from innerwalk.tests.support.films import errors_of, same_film


def children_of(process: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize("workers", [[], ["--workers", "2"]])
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_film_goes_on_where_it_was(film, serial, tmp_path, stop, workers):
    frames = tmp_path / "out" / "walk_frames"
    command = innerwalk("render", film, "-o", tmp_path / "out", *workers)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as sender:
        wait_for(lambda: len(list(frames.glob("0*.png"))) >= 4)
        children = children_of(sender.pid)
        sender.send_signal(stop)
        _, said = sender.communicate(timeout=SECONDS)
    assert len(children) >= len(workers)
    wait_for(lambda: not [child for child in children if Path(f"/proc/{child}").exists()])
    if stop == signal.SIGINT:
        assert sender.returncode == 130 and "stopped" in said and len(errors_of(said)) == 1, said
    before = {path.name: path.stat().st_mtime_ns for path in frames.glob("0*.png")}
    assert 4 <= len(before) < 24 and not (tmp_path / "out" / "walk.mp4").exists()
    subprocess.run(innerwalk("render", film, "-o", tmp_path / "out"), check=True, timeout=2 * SECONDS)
    assert all((frames / name).stat().st_mtime_ns == time for name, time in before.items())
    assert same_film(frames, serial, 24)
    assert not list((tmp_path / "out").rglob(".part-*"))


FULL = """
mount -t tmpfs -o size={size}k tmpfs "$1"
"$2" -m innerwalk.scenes render "$3" -o "$1" 2>"$4/said" && exit 9
status=$?
find "$1" -name ".part-*" | grep . && exit 8
ls "$1/walk_frames" >"$4/before"
mount -o remount,size=64m "$1"
"$2" -m innerwalk.scenes render "$3" -o "$1" && cp -r "$1/walk_frames" "$1/walk.mp4" "$4" && exit $status
"""


def test_a_full_disk_loses_no_frame(film, serial, namespaces, tmp_path):
    (tmp_path / "small").mkdir()
    size = sum(path.stat().st_size for path in serial.iterdir()) // 2048
    script = FULL.format(size=size)
    run = subprocess.run(
        [*namespaces, "bash", "-c", script, "full", tmp_path / "small", sys.executable, film, tmp_path],
        capture_output=True,
        text=True,
        timeout=3 * SECONDS,
        check=False,
    )
    said = (tmp_path / "said").read_text()
    assert run.returncode == 2, run.stdout + run.stderr + said
    assert "the disk is full" in said and len(errors_of(said)) == 1, said
    assert 2 < len((tmp_path / "before").read_text().split()) < 20
    assert f"{24 - len((tmp_path / 'before').read_text().split())} frames rendered" in run.stdout
    assert same_film(tmp_path / "walk_frames", serial, 24)
    assert os.path.getsize(tmp_path / "walk.mp4")
