"""One version everywhere: Blender's manifest states it, and all else reads it there."""

import re
import tomllib
from pathlib import Path

import pytest

from innerwalk.scenes import cli, doctor
from innerwalk.torch_bridge.version import VERSION

ROOT = Path(__file__).resolve().parent.parent


def test_it_is_the_manifests():
    assert VERSION == tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))["version"]
    assert "version" in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dynamic"]


def test_the_command_line_says_it(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])
    assert stopped.value.code == 0 and capsys.readouterr().out == f"innerwalk {VERSION}\n"
    assert doctor.check_innerwalk().text.startswith(f"{VERSION} in ")


def test_recordings_keep_it():
    pytest.importorskip("torch", reason="needs torch")
    import torch

    from innerwalk.torch_bridge import record

    recording = record(torch.nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8))
    assert recording.provenance["innerwalk"] == VERSION and recording.provenance["torch"] == torch.__version__


def test_the_changelog_begins_with_it():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (\S+)$", text, re.M)[0] == VERSION
