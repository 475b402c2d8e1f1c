"""The zip: its files, and that it works in a clean Blender without torch, without pip and without warnings."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from innerwalk.torch_bridge.version import VERSION

if not importlib.util.find_spec("bpy"):
    pytest.skip("needs bpy", allow_module_level=True)

SHIPPED = {"torch_bridge", "blender_addon"}
ROOT_FILES = {"__init__.py", "blender_manifest.toml", "LICENSE"}
SESSION = Path(__file__).parent / "support" / "extension_session.py"
REPOSITORY_SESSION = SESSION.with_name("repository_session.py")


def is_shipped(path: str) -> bool:
    """Both rooms are shipped, so that the bridge can run from the extension; lint rules and pages are not."""
    top, *rest = PurePosixPath(path).parts
    return path in ROOT_FILES or bool(rest and top in SHIPPED and PurePosixPath(path).suffix not in (".toml", ".md"))


def blender_ext(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs Blender's own builder and validator."""
    package = Path(importlib.util.find_spec("bpy").origin).parent
    (tool,) = package.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    return subprocess.run([sys.executable, tool, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def package(checkout, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zip")
    run = blender_ext("build", "--source-dir", checkout, "--output-dir", folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return next(folder.glob("innerwalk-*.zip"))


def test_the_zip_holds_the_shipped_files(package, tracked):
    with zipfile.ZipFile(package) as file:
        assert set(file.namelist()) == {path for path in tracked if is_shipped(path)}


def test_a_working_folder_ships_the_same(package, checkout, tmp_path):
    """Environments, caches and outputs in a working folder stay out."""
    for litter in (".venv/lib/x.py", ".venv-4.5/x.py", "build/x.py", "dist/x.zip", "out/hall/recording.json",
                   "torch_bridge/__pycache__/x.pyc", "innerwalk.egg-info/x", ".mypy_cache/x.json"):  # fmt: skip
        (checkout / litter).parent.mkdir(parents=True, exist_ok=True)
        (checkout / litter).write_text("litter")
    blender_ext("build", "--source-dir", checkout, "--output-dir", tmp_path)
    with zipfile.ZipFile(package) as clean, zipfile.ZipFile(next(tmp_path.glob("*.zip"))) as littered:
        assert clean.namelist() == littered.namelist()


def test_blenders_validator_passes(package):
    run = blender_ext("validate", package)
    assert run.returncode == 0, run.stdout + run.stderr


def test_manifest_and_pyproject_agree(checkout):
    import tomllib

    manifest = tomllib.loads((checkout / "blender_manifest.toml").read_text(encoding="utf-8"))
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert manifest["id"] == project["name"]
    assert manifest["license"] == [f"SPDX:{project['license']}"]
    assert "wheels" not in manifest
    assert all(len(text) <= 64 and text[-1] != "." for text in (manifest["tagline"], *manifest["permissions"].values()))


def reported(script: Path, file: Path, user_folder: Path) -> dict:
    """What a script of a clean Blender found."""
    environment = os.environ | {"BLENDER_USER_RESOURCES": str(user_folder), "PYTHONPATH": ""}
    run = subprocess.run(
        [sys.executable, script, file], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout.split("\nFOUND ")[1].splitlines()[0])  # lines of Blender's own may come after it


@pytest.fixture(scope="module")
def session(package, tmp_path_factory) -> dict:
    """Report of a clean Blender in which the zip was installed, used, disabled and enabled."""
    return reported(SESSION, package, tmp_path_factory.mktemp("blender"))


def test_blender_installs_it_from_a_repository(package, tmp_path):
    """The static index of `make release`, added as a repository of a clean Blender."""
    folder = tmp_path / "dist"
    folder.mkdir()
    shutil.copy2(package, folder)
    run = blender_ext("server-generate", "--repo-dir", folder)
    assert run.returncode == 0, run.stdout + run.stderr
    found = reported(REPOSITORY_SESSION, folder / "index.json", tmp_path)
    assert found == {"enabled": True, "version": VERSION, "opened": ["FINISHED"], "panels": found["panels"]}
    assert found["panels"] > 0


def test_it_installs_and_imports_a_recording(session):
    assert session["module"] == "bl_ext.user_default.innerwalk"
    assert session["imported"] == ["FINISHED"]
    assert session["panels"] > 0
    assert session["opened"] == ["FINISHED"]
    assert session["scenes_added"] == 2
    assert session["users_scene_untouched"]


def test_an_older_hall_is_rebuilt_on_demand(session):
    assert session["up_to_date"]
    assert session["rebuilt"] == ["FINISHED"]
    assert session["panels_rebuilt"] == session["panels"]


def test_an_ordinary_save_keeps_the_maps(session):
    assert session["saved"] == session["reopened"]
    assert all(session["saved"])


def test_enabling_loads_nothing_heavy(session):
    names = ("ui", "properties", "extension", "model_names", "python_finder", "python_setup")
    light = tuple(f"blender_addon.{name}" for name in names)
    recording = "torch_bridge.recording"
    rooms = {"torch_bridge", "torch_bridge.lazy_exports", recording}
    errors = rooms | {f"{recording}.{name}" for name in ("channels", "errors", "files")}
    loaded = [name for name in session["loaded"] if not name.startswith(light)]
    own = {"blender_addon", "blender_addon.naming", "blender_addon.naming.categories"}
    assert set(loaded) <= own | errors


def test_an_error_is_a_line_in_blender(session):
    assert "no recording here" in session["error"]
    assert "Traceback" not in session["error"]


def test_it_needs_neither_torch_nor_pip(session):
    assert session["foreign"] == []


def test_blender_has_no_warnings(session):
    assert session["warnings"] == ""


def test_disabled_it_leaves_nothing_behind(session):
    assert session["left"] == session["before"]


def test_enabling_ten_times_leaks_nothing(session):
    assert session["enabled_again"] == session["enabled"]


def test_the_bridge_runs_from_the_extension(package, tmp_path):
    """Any Python with torch and the extension's folder on its path can run the bridge."""
    pytest.importorskip("torch", reason="needs torch")
    with zipfile.ZipFile(package) as file:
        file.extractall(tmp_path)
    code = "import sys, torch_bridge.capture.recorder as r; print(r.__file__, 'bpy' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.split() == [str(tmp_path / "torch_bridge" / "capture" / "recorder.py"), "False"], run.stderr
