"""The commands of docs/figures.md run as they stand there, one after the other; a recipe makes its pictures."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs torch")
pytest.importorskip("reportlab", reason="needs reportlab")

from innerwalk.scenes import cli

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "figures.md"
TEXT = PAGE.read_text("utf-8")
COMMANDS = [line for block in re.findall(r"^```bash\n(.*?)^```$", TEXT, re.M | re.S) for line in block.splitlines()]
PICTURES = re.findall(r"\(figures/(.*?)\)", TEXT)


def test_every_command_makes_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 14
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        assert program == "innerwalk" and cli.main(arguments) == 0, command
        assert Path(arguments[arguments.index("-o") + 1]).exists(), command


def test_the_recipe_makes_the_pictures_of_the_page(tmp_path):
    recipe = Path(cli.__file__).parent / "flat_figures.toml"
    assert cli.main(["render", str(recipe), "-o", str(tmp_path)]) == 0
    assert sorted(PICTURES) == sorted(path.name for path in tmp_path.iterdir())
    for name in PICTURES:
        with Image.open(tmp_path / name) as drawn, Image.open(PAGE.with_suffix("") / name) as kept:
            assert drawn.size == kept.size
            assert np.abs(np.asarray(drawn.convert("RGB"), float) - np.asarray(kept.convert("RGB"))).mean() < 1, name
