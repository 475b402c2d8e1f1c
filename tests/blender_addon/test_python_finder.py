"""The guess of a Python that has torch, from folders as environments have them."""

from pathlib import Path

import pytest

from innerwalk.blender_addon import python_finder


def environment(folder: Path, packages: str, torch: bool = True, program: str = "bin/python3") -> Path:
    """What an environment looks like; its program."""
    (folder / packages / ("torch" if torch else "numpy")).mkdir(parents=True)
    (folder / program).parent.mkdir(parents=True, exist_ok=True)
    (folder / program).touch()
    (folder / "pyvenv.cfg").touch()
    return folder / program


def test_the_active_environment_comes_first(tmp_path):
    own = environment(tmp_path / "own", "lib/python3.12/site-packages")
    other = environment(tmp_path / "other", "lib/python3.11/site-packages")
    paths = {"VIRTUAL_ENV": str(tmp_path / "own"), "PATH": str(other.parent)}
    assert python_finder.find_python(paths) == str(own)
    assert python_finder.find_python({"PATH": str(other.parent)}) == str(other)


def test_one_without_torch_is_passed_over(tmp_path):
    empty = environment(tmp_path / "empty", "lib/python3.12/site-packages", torch=False)
    full = environment(tmp_path / "full", "lib/python3/dist-packages")
    assert python_finder.find_python({"PATH": f"{empty.parent}:{full.parent}"}) == str(full)
    assert python_finder.find_python({"PATH": str(empty.parent)}) == ""
    assert python_finder.find_python({}) == ""


@pytest.mark.parametrize("program", ["python.exe", "Scripts/python.exe"])
def test_windows_has_other_folders(tmp_path, program):
    found = environment(tmp_path, "Lib/site-packages", program=program)
    assert python_finder.has_torch(found)
    assert python_finder.find_python({"CONDA_PREFIX": str(tmp_path)}) == str(found)


def test_what_a_person_has_installed_for_themselves(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / "home/.local/lib/python3.12/site-packages/torch").mkdir(parents=True)
    program = environment(tmp_path / "usr", "lib/python3/dist-packages", torch=False)
    assert not python_finder.has_torch(program), "an environment of its own doesn't see it"
    (tmp_path / "usr/pyvenv.cfg").unlink()
    assert python_finder.has_torch(program)
