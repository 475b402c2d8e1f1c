"""Blender is found on this machine and started with a hall; here a script plays Blender and writes its arguments."""

import json
import os
import sys
from pathlib import Path

import pytest

from innerwalk.scenes.cli import main
from innerwalk.scenes.window import blender_finder
from innerwalk.scenes.window.open_window import AT_START, open_window, wait_for_window
from innerwalk.tests.support import OBJECT_RECORDING
from innerwalk.torch_bridge.recording.errors import SceneError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for Blender is a shell script")


def stand_in(folder: Path, version: str = "5.2.2 LTS", status: int = 0) -> Path:
    """A program that answers --version as Blender does, and otherwise writes its arguments to started.json."""
    program = folder / "blender"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(
        f"#!{sys.executable}\nimport json, pathlib, sys\n"
        f"if sys.argv[1:] == ['--version']:\n    print('Blender {version}')\n    sys.exit()\n"
        "folder = pathlib.Path(sys.argv[-1])\n"
        "found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []\n"
        f"pathlib.Path({str(folder / 'started.json')!r}).write_text(json.dumps([sys.argv[1:], found]))\n"
        f"sys.exit({status})\n"
    )
    program.chmod(0o755)
    return program


def started(folder: Path) -> tuple[list[str], list[str]]:
    arguments, found = json.loads((folder / "started.json").read_text())
    return arguments, found


def test_a_recording_is_opened(tmp_path, monkeypatch):
    monkeypatch.setenv(blender_finder.VARIABLE, str(stand_in(tmp_path)))
    assert main(["open", str(OBJECT_RECORDING)]) == 0
    assert started(tmp_path)[0] == ["--python", str(AT_START), "--", str(OBJECT_RECORDING.resolve())]


def test_a_blender_file_is_opened(tmp_path):
    hall = tmp_path / "hall.blend"
    hall.write_bytes(b"BLENDER")
    assert main(["open", str(hall), "--blender", str(stand_in(tmp_path))]) == 0
    assert started(tmp_path)[0] == [str(hall), "--python", str(AT_START)]


def test_a_network_is_recorded_and_shown(tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    assert main(["show", "object", "--blender", str(stand_in(tmp_path))]) == 0
    arguments, found = started(tmp_path)
    assert "recording.json" in found
    assert not Path(arguments[-1]).exists()


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["open", "nothing"], "no recording here"),
        (["open", "plate.png"], "plate.png: no hall"),
        (["open", "nothing.blend"], "nothing.blend: no such file"),
    ],
)
def test_what_is_not_there_is_said_before_blender_starts(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("plate.png").touch()
    assert main([*arguments, "--blender", str(stand_in(tmp_path))]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "started.json").exists()


@pytest.mark.parametrize(
    "version, says", [("4.2.1", "is Blender 4.2; Blender 4.5 or newer"), ("", "doesn't run as Blender")]
)
def test_an_old_or_other_program_is_refused(version, says, tmp_path):
    with pytest.raises(SceneError, match=says):
        blender_finder.find_blender(stand_in(tmp_path, version))


def test_without_blender_the_variable_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(blender_finder.VARIABLE, raising=False)
    monkeypatch.setattr(blender_finder, "USUAL_PLACES", {})
    with pytest.raises(SceneError, match="--blender or the variable INNERWALK_BLENDER"):
        blender_finder.find_blender()


def test_the_newest_installed_one_is_taken(tmp_path, monkeypatch):
    for version in ("4.2.9", "5.2.0", "4.10.1"):
        stand_in(tmp_path / f"blender-{version}", version)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(blender_finder.VARIABLE, raising=False)
    monkeypatch.setattr(blender_finder, "USUAL_PLACES", {sys.platform: (f"{tmp_path}/blender*/blender",)})
    assert blender_finder.find_blender() == tmp_path / "blender-5.2.0" / "blender"


def test_a_blender_that_fails_is_said_with_its_command(tmp_path):
    with pytest.raises(SceneError, match="ended with status 3; to see why: .*blender --python"):
        wait_for_window(open_window(OBJECT_RECORDING, stand_in(tmp_path, status=3)))
