"""The wheel holds every tracked file of the package and nothing else."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import PurePosixPath

import pytest

pytest.importorskip("setuptools", minversion="77", reason="needs setuptools 77")
LEFT_OUT = {"tests", "bench", "docs", ".ci"}
ROOT_FILES = {"__init__.py", "blender_manifest.toml"}


def meant(path: str) -> bool:
    """What a pip user gets: the rooms but bench, without their lint rules."""
    top, *rest = PurePosixPath(path).parts
    return path in ROOT_FILES or bool(rest and top not in LEFT_OUT and rest[-1] != "ruff.toml")


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, checkout]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    with zipfile.ZipFile(next(folder.glob("innerwalk-*.whl"))) as file:
        yield file


def test_the_wheel_holds_the_tree(wheel, tracked):
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == {f"innerwalk/{path}" for path in tracked if meant(path)}


def test_the_wheel_names_its_licence_and_command(wheel):
    metadata = {PurePosixPath(name).name: name for name in wheel.namelist() if ".dist-info/" in name}
    assert b"GNU GENERAL PUBLIC LICENSE" in wheel.read(metadata["LICENSE"])
    assert "License-Expression: GPL-3.0-or-later" in wheel.read(metadata["METADATA"]).decode()
    assert "innerwalk = innerwalk.scenes.__main__:run" in wheel.read(metadata["entry_points.txt"]).decode()


def test_the_wheels_version_is_the_manifests(wheel):
    manifest = tomllib.loads(wheel.read("innerwalk/blender_manifest.toml").decode())
    assert PurePosixPath(wheel.filename).name == f"innerwalk-{manifest['version']}-py3-none-any.whl"


def test_torch_is_never_a_plain_dependency(wheel):
    """A bare torch or torchvision would bring the newest pair, and gigabytes of GPU libraries."""
    metadata = next(name for name in wheel.namelist() if name.endswith("/METADATA"))
    needed = [line for line in wheel.read(metadata).decode().splitlines() if line.startswith("Requires-Dist: torch")]
    assert needed
    assert all("extra ==" in line and ">=" in line for line in needed)
