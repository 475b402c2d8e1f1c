"""Paths as people enter them: with spaces, quotes and ~, a folder in place of a file, a file in place of a folder."""

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender")

from innerwalk.blender_addon import ui  # noqa: E402
from innerwalk.blender_addon.ui.bridge import settings  # noqa: E402
from innerwalk.blender_addon.ui.common.paths import (  # noqa: E402
    CONNECTIONS,
    WEIGHTS,
    entered_file,
    entered_folder,
    entered_path,
    entered_python,
)
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402


@pytest.fixture
def form():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    ui.register()
    yield settings.bridge_settings(bpy.context)
    ui.unregister()


@pytest.mark.parametrize(
    "text", ["/a/b c.pt", "  /a/b c.pt\n", '"/a/b c.pt"', "'/a/b c.pt' ", "“/a/b c.pt”", "file:///a/b%20c.pt"]
)
def test_a_pasted_path_is_understood(text):
    assert entered_path(text) == "/a/b c.pt"


def test_an_address_that_is_none_stays_a_path():
    assert entered_path("file://[/a#b") == "[/a#b"


def test_the_own_folder_and_no_path():
    assert entered_path(" ~/x.pt ") == str(Path.home() / "x.pt")
    assert entered_path("  ") == entered_path('""') == ""
    assert entered_path("DEFAULT") == "DEFAULT"


def test_a_folder_stands_for_the_only_file_that_fits(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match=r"a folder with no file .*\.safetensors.*; choose the file"):
        entered_file("weights", str(tmp_path), WEIGHTS)
    (tmp_path / "net.pth").touch()
    assert entered_file("weights", f" '{tmp_path}' ", WEIGHTS) == str(tmp_path / "net.pth")
    (tmp_path / "other.pt").touch()
    with pytest.raises(InputError, match="a folder with 2 files"):
        entered_file("weights", str(tmp_path), WEIGHTS)


def test_a_file_stands_for_its_folder(tmp_path):
    (tmp_path / "recording.json").touch()
    assert entered_folder(f'"{tmp_path / "recording.json"}"') == entered_folder(str(tmp_path)) == str(tmp_path)


def test_an_environment_stands_for_its_python(tmp_path):
    with pytest.raises(InputError, match="a folder without a Python"):
        entered_python(str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").touch()
    for text in (tmp_path, tmp_path / "bin", tmp_path / "bin/python3"):
        assert entered_python(str(text)) == str(tmp_path / "bin/python3")


def test_the_form_sends_clean_paths(form, tmp_path):
    (tmp_path / "w.safetensors").touch()
    network = form.networks.add()
    network.model, network.weights, network.picture = " mine.nets:build ", f'"{tmp_path}"', "'/a.png'"
    form.data.add().where = f" {tmp_path} "
    networks, data = settings.bridge_arguments(form)
    assert networks == {
        "mine.nets:build": {
            "model": "mine.nets:build",
            "weights": str(tmp_path / "w.safetensors"),
            "inputs": ["/a.png"],
        }
    }
    assert list(data.values()) == [str(tmp_path)]


def test_a_message_goes_with_its_cause(form):
    from innerwalk.blender_addon.live.session import current

    current().report_error(InputError("python /x: no such file"))
    assert current().shown_error
    form.python = "/y"
    assert not current().shown_error
    current().report_error(InputError("again"))
    bpy.ops.innerwalk.dismiss_error()
    assert not current().shown_error
    assert str(current().take_error()) == "again", "scripts still receive it"


def test_a_connection_file_in_its_folder(tmp_path):
    (tmp_path / "innerwalk-bridge.json").touch()
    assert entered_file("file", str(tmp_path), CONNECTIONS) == str(tmp_path / "innerwalk-bridge.json")
