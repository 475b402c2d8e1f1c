"""`innerwalk doctor` reports missing parts and how to fix them, and never fails itself."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from innerwalk.scenes import doctor
from innerwalk.tests.support import ROOT


@pytest.fixture(autouse=True)
def fresh():
    doctor._blender.cache_clear()
    yield
    doctor._blender.cache_clear()


def blender_says(monkeypatch, **told):
    monkeypatch.setattr(doctor, "_blender", lambda: told)


def hide(monkeypatch, *packages):
    real = doctor.importlib.util.find_spec
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None if name in packages else real(name))


def test_every_part_is_reported_whatever_happens(monkeypatch):
    def broken():
        raise OSError("the device is on fire\nsecond line")

    monkeypatch.setattr(doctor, "CHECKS", {"fan": broken, "disk": doctor.check_disk})
    fan, disk = doctor.examine()
    assert (fan.name, fan.state, fan.text) == ("fan", "no", "OSError: the device is on fire")
    assert disk.name == "disk"


def test_missing_torch_is_said_with_the_tested_version(monkeypatch):
    hide(monkeypatch, "torch")
    found = doctor.check_torch()
    assert found.state == "no"
    assert found.fix.endswith(doctor.TORCH)
    assert doctor.check_torchvision().state == "no"


def test_the_versions_named_are_those_of_the_constraints():
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert {doctor.TORCH, doctor.TORCHVISION} <= set(pinned)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"BPY := {doctor.BPY.removeprefix('bpy==')}" in makefile


def test_a_blender_that_does_not_load_names_the_libraries(monkeypatch):
    failed = subprocess.CompletedProcess(
        [], 1, "", "Traceback\nImportError: libSM.so.6: cannot open shared object file"
    )
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: failed)
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: object())
    found = doctor.check_blender()
    assert found.state == "no"
    assert "libSM.so.6" in found.text
    assert "libsm6" in found.fix
    assert doctor.check_engine().state == "no"


def test_no_blender_is_no_error(monkeypatch):
    hide(monkeypatch, "bpy")
    assert [check().state for check in (doctor.check_blender, doctor.check_engine, doctor.check_fonts)] == ["no"] * 3


@pytest.mark.parametrize(("numpy", "blender", "state"), [("2.1.0", "5.0.1", "part"), ("2.5.5", "5.2.3 LTS", "ok")])
def test_numpy_2_does_not_go_with_an_older_blender(monkeypatch, numpy, blender, state):
    blender_says(monkeypatch, version=blender)
    monkeypatch.setattr(doctor, "_version", lambda package: numpy)
    assert doctor.check_numpy().state == state


def test_openxr_runtime_is_found_where_a_loader_finds_it(monkeypatch, tmp_path):
    blender_says(monkeypatch, openxr=True)
    monkeypatch.delenv("XR_RUNTIME_JSON", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "shared"))
    assert doctor.runtime_files()[1] == tmp_path / "openxr/1/active_runtime.json"
    file = tmp_path / "openxr/1/active_runtime.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"runtime": {"name": "Monado", "library_path": "x.so"}}))
    found = doctor.check_openxr()
    assert (found.state, "Monado" in found.text) == ("ok", True)
    blender_says(monkeypatch, openxr=False)
    assert doctor.check_openxr().state == "part"


def test_the_environment_names_a_runtime_before_any_folder(monkeypatch):
    monkeypatch.setenv("XR_RUNTIME_JSON", "/somewhere/runtime.json")
    assert doctor.runtime_files() == [Path("/somewhere/runtime.json")]


def test_a_full_disk_is_seen(monkeypatch):
    usage = doctor.shutil.disk_usage(".")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage._replace(free=1 << 20))
    assert doctor.check_disk().state == "part"


def test_a_finding_reads_well():
    line = str(doctor.Finding("torch", "no", "not installed", "pip install torch==1"))
    assert re.fullmatch(r"  no  torch +not installed\n +→ pip install torch==1", line)


def test_blender_answers_in_a_process_of_its_own():
    pytest.importorskip("bpy", reason="needs bpy")
    found = doctor.check_blender()
    assert (found.state, found.text.split()[0]) == ("ok", "bpy")
    assert doctor.check_fonts().state == "ok"


@pytest.mark.parametrize(
    ("blender", "state"), [("4.5.15 LTS", "part"), ("5.0.1", "part"), ("5.2.3", "ok"), ("10.0.0", "ok")]
)
def test_numpy_2_is_for_blender_of_5_1_and_later(monkeypatch, blender, state):
    blender_says(monkeypatch, version=blender)
    monkeypatch.setattr(doctor, "_version", lambda _: "2.4.6")
    assert doctor.check_numpy().state == state


def test_a_bridge_without_pyav_can_do_all_but_films(monkeypatch):
    pytest.importorskip("torch", reason="needs torch")
    monkeypatch.setattr(doctor, "_version", lambda package: "18.0.0")
    found = doctor.check_bridge()
    assert (found.state, found.text.endswith("videos and sounds by PyAV 18.0.0")) == ("ok", True)
    monkeypatch.setattr(doctor, "_version", lambda package: "")
    found = doctor.check_bridge()
    assert found.state == "part" and "no PyAV" in found.text and found.fix.endswith("install av")
    hide(monkeypatch, "torch")
    assert doctor.check_bridge().state == "no"
