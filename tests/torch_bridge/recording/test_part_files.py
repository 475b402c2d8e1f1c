"""Unfinished files of processes that were killed: the next run removes them, and no others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from innerwalk.tests.torch_bridge.recording.test_recording import small
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording import part_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are known on POSIX only")
KILLED = """
import os, signal, sys, tempfile
from innerwalk.torch_bridge.recording.part_files import part_prefix
tempfile.mkstemp(prefix=part_prefix(), dir=sys.argv[1])
tempfile.mkdtemp(prefix=part_prefix(), dir=sys.argv[1])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False)
    kept = [part_files.part_prefix() + "mine", ".part-old", ".part-1-1-00000000-of another machine", "photo.png"]
    for name in kept:
        (tmp_path / name).write_text("kept")
    assert len(list(tmp_path.iterdir())) == len(kept) + 2
    part_files.remove_stale_parts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_a_process_is_known_by_its_start_too() -> None:
    start = part_files.process_start(os.getpid())
    assert part_files.is_running(os.getpid(), start)
    if start:
        assert not part_files.is_running(os.getpid(), str(int(start) + 1))  # another process has got the number


def test_files_of_a_killed_save_go_with_the_next(tmp_path: Path) -> None:
    rec.save(small(0), tmp_path)
    orphan = tmp_path / f"activations-{'0' * 24}.safetensors"
    orphan.write_bytes(b"half")
    (tmp_path / "mine.safetensors").write_bytes(b"a person's")
    rec.save(small(0), tmp_path)
    assert not orphan.exists() and (tmp_path / "mine.safetensors").exists()
    assert np_equal(rec.load(tmp_path))


def test_of_two_saves_at_once_one_remains_whole(tmp_path: Path) -> None:
    def save_another(share: float) -> None:
        if share == 1:  # the first one has written its maps, and not yet what names them
            rec.save(small(1), tmp_path)

    rec.save(small(0), tmp_path, save_another)
    assert np_equal(rec.load(tmp_path)) and len(list(tmp_path.iterdir())) == 3


def np_equal(recording: rec.Recording) -> bool:
    return bool((recording.maps("a").data == small(0).maps("a").data).all())
