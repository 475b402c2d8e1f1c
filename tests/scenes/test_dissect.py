"""The lines that `innerwalk dissect` prints."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="a dissection runs in the Python that has torch")

from innerwalk.scenes.cli import main
from innerwalk.scenes.dissect import describe_left_out
from innerwalk.torch_bridge.data import open_data
from innerwalk.torch_bridge.dissection.run import Dissection


def test_the_first_picture_that_was_left_out_has_its_reason(tmp_path):
    for name in ("images", "masks/object"):
        (tmp_path / name).mkdir(parents=True)
    for number, mask in enumerate(((8, 8), (8, 8, 3), (2, 8), (8, 8))):
        Image.new("RGB", (8, 8)).save(tmp_path / "images" / f"{number}.png")
        Image.fromarray(np.zeros(mask, np.uint8)).save(tmp_path / "masks" / "object" / f"{number}.png")
    (tmp_path / "concepts.csv").write_text("number,name,category\n1,cat,object\n")
    data = open_data(str(tmp_path))
    assert describe_left_out(data, []) == []
    [one] = describe_left_out(data, [2])
    assert one.startswith("1 picture was left out: 2.png (the first: a mask of 2.png: 8 × 2 pixels don't fit")
    [more] = describe_left_out(data, [1, 2, 3, 0])
    assert more.startswith("4 pictures were left out: 1.png, 2.png, 3.png … (the first: mask ")
    assert more.endswith("a PNG of one channel is needed, this one is RGB)")


def test_a_dissection_that_is_stopped_says_how_it_goes_on(tmp_path, capsys, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Dissection, "run_part", stop)
    assert main(["dissect", "object", "--count", "4", "--layers", "stem.relu", "-o", str(tmp_path / "out")]) == 130
    assert f"stopped; the same command goes on with {tmp_path / 'out'}" in capsys.readouterr().err
