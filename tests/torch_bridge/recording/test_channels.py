"""Lists of channels: every way to write one, every way to get it wrong, and back to text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerwalk.torch_bridge.recording import Layer, Network
from innerwalk.torch_bridge.recording.channels import check_channels, format_channels, parse_channels, read_channels
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("0", (0,)),
        ("0,3,8-11", (0, 3, 8, 9, 10, 11)),
        (" 0 , 3 , 8 - 11 ", (0, 3, 8, 9, 10, 11)),
        ("5,5", (5, 5)),
        ("7-7", (7,)),
        ("", ()),
        ("  ", ()),
    ],
)
def test_a_list_is_read(text, channels):
    assert parse_channels(text) == channels


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x", "write it like"),
        ("0 5", "write it like"),
        ("1,,2", "write it like"),
        ("-3", "write it like"),
        ("3-", "write it like"),
        ("1-2-3", "write it like"),
        ("²", "write it like"),
        ("9-2", "write 2-9"),
        ("0-9999999", "no layer has a channel above 999,999"),
    ],
)
def test_a_wrong_list_is_one_line(text, part):
    with pytest.raises(InputError, match=part) as error:
        parse_channels(text)
    assert "\n" not in str(error.value)


@given(st.lists(st.integers(0, 999_999), max_size=30))
def test_what_is_written_is_read_again(channels):
    assert list(parse_channels(format_channels(channels))) == channels


def test_channels_a_layer_lacks_are_named():
    network = Network("tiny", (Layer("a", "Conv2d", "panel", (4, 2, 2), (4, 2, 2), "a"),), (), True, "", 0)
    check_channels(network, "a", [0, 3])
    with pytest.raises(InputError, match="channels 0 to 3; there is no channel 4"):
        check_channels(network, "a", [1, 4])
    with pytest.raises(UnknownName):
        check_channels(network, "b", [0])


def test_a_script_passes_numbers_or_a_text():
    assert read_channels("0,3,8-9") == read_channels([0, 3, 8, 9]) == read_channels(np.array([0, 3, 8, 9]))
    for wrong in ([1.5], [True], ["3"], 5, None):
        with pytest.raises(InputError, match="is not a list of whole numbers"):
            read_channels(wrong)
