"""An environment with PyTorch is made by pip, here of a wheel without content, without a network."""

import os
import shutil
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from innerwalk.blender_addon.python_setup import BEGUN, PythonSetup

METADATA = "Metadata-Version: 2.1\nName: torch\nVersion: 9.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(autouse=True)
def no_settings_of_pip(monkeypatch):
    """Pip reads no settings of this machine."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def wheels(tmp_path) -> Path:
    """A folder with a wheel that is called torch."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    files = {"torch/__init__.py": "", "torch-9.0.dist-info/METADATA": METADATA, "torch-9.0.dist-info/WHEEL": WHEEL}
    with zipfile.ZipFile(folder / "torch-9.0-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr("torch-9.0.dist-info/RECORD", "".join(f"{name},,\n" for name in files))
    return folder


def options(folder: Path) -> tuple[str, ...]:
    return "--no-index", "--find-links", str(folder)


def test_the_environment_has_torch(wheels, tmp_path):
    setup = PythonSetup(sys.executable, tmp_path / "python", options(wheels), ["torch"])
    assert setup.state == "running"
    setup.wait(120)
    assert (setup.state, setup.error) == ("done", "")
    assert Path(setup.program).is_relative_to(tmp_path / "python") and setup.progress >= BEGUN
    setup.cancel()
    assert setup.state == "done", "too late to cancel"


def test_a_failure_is_one_line_and_leaves_nothing(tmp_path):
    (tmp_path / "empty").mkdir()
    setup = PythonSetup(sys.executable, tmp_path / "python", options(tmp_path / "empty"), ["torch"])
    setup.wait(120)
    assert setup.state == "failed" and "torch" in setup.error and "\n" not in setup.error
    assert not (tmp_path / "python").exists()


def test_no_python_is_a_failure(tmp_path):
    setup = PythonSetup(str(tmp_path / "none"), tmp_path / "python")
    setup.wait(10)
    assert setup.state == "failed" and "none" in setup.error and not (tmp_path / "python").exists()


def test_cancelling_removes_what_was_made(wheels, tmp_path):
    setup = PythonSetup(sys.executable, tmp_path / "python", options(wheels), ["torch"])
    setup.cancel()
    setup.wait(60)
    assert setup.state == "cancelled" and not (tmp_path / "python").exists()


def test_it_has_ended_when_all_is_removed(tmp_path, monkeypatch):
    """Another one in the same folder would else lose its files to the removal."""
    may_remove = threading.Event()
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: may_remove.wait(60))
    setup = PythonSetup(str(tmp_path / "none"), tmp_path / "python")
    setup.wait(1)
    assert setup.state == "failed" and not setup.ended
    may_remove.set()
    setup.wait(60)
    assert setup.ended


def test_the_progress_of_pip_is_read(tmp_path):
    setup = PythonSetup(str(tmp_path / "none"), tmp_path / "python")
    setup.wait(10)
    lines: list[str] = []
    for line in ("Collecting torch", "Downloading https://x/torch.whl (200 MB)", "Progress 100000000 of 200000000"):
        setup._read_line(line, lines)
    assert setup.status.startswith("Downloading") and setup.progress == pytest.approx(0.4)
    setup._read_line("Progress 1000 of 1000", lines)
    assert setup.progress == pytest.approx(0.4), "small packages don't count"
    setup._read_line("Installing collected packages: torch", lines)
    assert setup.status == "installing PyTorch" and setup.progress == pytest.approx(0.75)
