"""What a bridge downloads is asked for: Blender's setting for online access."""

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.actions import bridge  # noqa: E402
from innerwalk.tests.support import ROOT  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError  # noqa: E402


@pytest.fixture
def started(monkeypatch):
    """The configs of bridges that would be started, in a Blender whose online access can be set."""
    configs = []
    monkeypatch.setattr(bridge.BridgeConnection, "start", lambda python, config: configs.append(config))
    monkeypatch.setattr(bridge, "use_connection", lambda link: None)
    return configs


def set_online(monkeypatch, online):
    monkeypatch.setattr(bridge, "bpy", SimpleNamespace(app=SimpleNamespace(online_access=online)))


@pytest.mark.parametrize("weights", ["DEFAULT", "IMAGENET1K_V2"])
def test_weights_are_downloaded_only_with_online_access(monkeypatch, started, weights):
    networks = {"mine": {"model": "resnet50", "weights": weights}}
    set_online(monkeypatch, False)
    with pytest.raises(BridgeError, match=f"mine: weights {weights} are downloaded, and Blender is offline") as caught:
        bridge.start_bridge("python", networks)
    assert "\n" not in str(caught.value) and not started
    set_online(monkeypatch, True)
    bridge.start_bridge("python", networks)
    assert [config["networks"] for config in started] == [networks]


@pytest.mark.parametrize("weights", ["mine.safetensors", "", None])
def test_other_weights_need_no_network(monkeypatch, started, weights):
    set_online(monkeypatch, False)
    bridge.start_bridge("python", {"mine": {"model": "resnet50", "weights": weights}})
    assert len(started) == 1


def test_blender_has_the_setting_and_the_extension_asks_for_it():
    import tomllib

    assert isinstance(bpy.app.online_access, bool)
    assert "network" in tomllib.loads((ROOT / "blender_manifest.toml").read_text())["permissions"]
