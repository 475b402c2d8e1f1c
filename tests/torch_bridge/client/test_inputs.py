"""Inputs of requests: the texts that name them, their order by arguments, and what is no input."""

import numpy as np
import pytest

from innerwalk.torch_bridge.client import by_argument, default, file, noise, pixels, words
from innerwalk.torch_bridge.client.inputs import pack_inputs
from innerwalk.torch_bridge.recording.errors import InputError


def test_texts_name_inputs(tmp_path):
    (tmp_path / "a.png").write_bytes(b"abc")
    values, arrays = pack_inputs([str(tmp_path / "a.png"), tmp_path / "a.png", "ids:1,2", "noise:7", noise(8)])
    assert [own["kind"] for own in values] == ["upload", "upload", "text", "noise", "noise"]
    assert values[2]["text"] == "ids:1,2" and [own.get("seed") for own in values[3:]] == [7, 8]
    assert {key: array.tobytes() for key, array in arrays.items()} == {"0": b"abc", "1": b"abc"}


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ("ids:1,2", "inputs are of type str; a list such as"),
        (words("ids:1"), "inputs are of type BridgeInput; a list such as"),
        ({"ids": "ids:1"}, "inputs are of type dict; a list such as"),
        ([np.zeros((2, 2))], "an input is of type ndarray; a list such as"),
        ([None], "an input is of type NoneType; a list such as"),
        (["noise:x"], "is no noise; write it like noise:7"),
        (["nowhere.png"], "can't be read (no such file)"),
    ],
)
def test_what_is_no_input_is_one_line(inputs, line):
    with pytest.raises(InputError) as error:
        pack_inputs(inputs)
    assert line in str(error.value) and "\n" not in str(error.value)


def test_inputs_by_argument_stand_in_the_place_of_their_name():
    ids, cat = words("ids:1"), pixels(np.zeros((2, 2), np.uint8), "cat")
    assert by_argument({"picture": cat}, ["ids", "picture"]) == [default(), cat]
    assert by_argument({"ids": ids, "picture": cat}, ["ids", "picture"], [noise(1), noise(2)]) == [ids, cat]
    further = by_argument({"mask": noise(3)}, ["ids"])
    assert [own.values for own in further] == [{"kind": "default"}, {"kind": "noise", "seed": 3, "argument": "mask"}]
    assert by_argument({"mask": noise(4)}, ["ids"], further)[1].values == further[1].values | {"seed": 4}


def test_a_file_that_is_not_there_is_one_line():
    with pytest.raises(InputError, match="no such file"):
        file("nowhere.png")
