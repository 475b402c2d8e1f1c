"""Each method of docs/methods.md has a command and the picture that it gives; quick ones are made anew."""

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")
pytest.importorskip("torch", reason="needs torch")

from PIL import Image

from innerwalk.scenes import ask, make_method_pictures
from innerwalk.scenes.make_method_pictures import WIDTH, answer, documented_commands, draw_answer
from innerwalk.torch_bridge.methods import METHODS, parse_parameters

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
TEXT = (DOCS / "methods.md").read_text("utf-8")
COMMANDS = documented_commands(TEXT)
QUICK = ("activations", "weights", "cam", "grad_cam", "layer_cam", "localisation", "guided_backprop")
MOST_BYTES = 100 << 10


def test_each_method_has_a_section_a_command_and_a_small_picture():
    assert set(re.findall(r"^\*\*`(\w+)`\*\*", TEXT, re.M)) == METHODS.keys()
    assert COMMANDS.keys() == METHODS.keys()
    for name in COMMANDS:
        picture = DOCS / "methods" / f"{name}.png"
        assert f"](methods/{name}.png)" in TEXT and picture.stat().st_size <= MOST_BYTES, name
        with Image.open(picture) as image:
            assert image.width <= WIDTH and np.asarray(image.convert("L")).std() > 10, name
    assert {path.stem for path in (DOCS / "methods").iterdir()} == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_have_parameters_of_their_methods(name):
    method = METHODS[name]
    parse_parameters(method, ask.read_parameters(method, dict(COMMANDS[name].parameters)))


@pytest.mark.parametrize("name", QUICK)
def test_the_command_gives_the_picture(name):
    with Image.open(DOCS / "methods" / f"{name}.png") as image:
        shown = np.asarray(image.convert("RGB")).astype(int)
    made = np.asarray(draw_answer(answer(COMMANDS[name]), COMMANDS[name])).astype(int)
    assert (
        made.shape == shown.shape and np.abs(made - shown).mean() < 3
    )  # 256 colours, and another processor's rounding


def test_one_picture_is_written_by_name(tmp_path):
    text = tmp_path / "methods.md"
    text.write_text(TEXT, "utf-8")
    make_method_pictures.main(text, ["cam"])
    assert [path.name for path in (tmp_path / "methods").iterdir()] == ["cam.png"]
