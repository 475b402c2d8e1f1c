"""The commands of docs/films.md run, with smaller pictures; its recipes and its script are right."""

import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")
pytest.importorskip("torch", reason="needs torch")

from innerwalk.blender_addon.films import SHOT_KINDS
from innerwalk.blender_addon.recipes import parse_recipe
from innerwalk.scenes import cli
from innerwalk.torch_bridge.recording import load_series

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "films.md").read_text("utf-8")
BLOCKS = {kind: re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.M | re.S) for kind in ("bash", "toml", "python")}


def test_the_commands_make_their_films(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in "".join(BLOCKS["bash"]).splitlines():
        program, name, *arguments = shlex.split(command)
        assert program == "innerwalk"
        if name == "render":
            arguments[0] = small(arguments[0], slow="--frames" not in arguments)
        assert cli.main([name, *arguments]) == 0, command
    assert (tmp_path / "films" / "flythrough.mp4").stat().st_size > 1000
    assert len(list((tmp_path / "films").rglob("*.png"))) > 4
    assert len(load_series(tmp_path / "noisy")) == 3


def small(recipe: str, slow: bool) -> str:
    """A copy of a shipped recipe with tiny pictures; slow: one frame a second."""
    text = (ROOT / recipe).read_text("utf-8").replace("size = [1920, 1080]\npasses = 16\n", "")
    more = "size = [96, 54]\npasses = 1\n" + ("rate = 1\n" if slow else "")
    Path(Path(recipe).name).write_text(text.replace("[film]\n", f"[film]\n{more}"))
    return Path(recipe).name


def test_every_kind_of_shot_is_described_and_the_recipe_is_right():
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.M) == list(SHOT_KINDS)
    (recipe,) = map(parse_recipe, BLOCKS["toml"])
    assert [entry.kind for entry in recipe.shots] == ["orbit", "dolly"]
    for name in re.findall(r"`(\w+)`", TEXT.partition("four whole ones")[2].partition("\n\n")[0]):
        assert (ROOT / "scenes" / "films" / f"{name}.toml").exists(), name


def test_the_script_keys_two_shots(empty_scene, recorded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = BLOCKS["python"]
    (tmp_path / "parrot").symlink_to(recorded)
    from innerwalk.blender_addon.scripting import Hall

    names = {"Hall": Hall}
    exec(code.replace("features.7.expand3x3", "b"), names)
    assert names["hall"].scene.frame_end > 160 and (tmp_path / "parrot.blend").exists()
