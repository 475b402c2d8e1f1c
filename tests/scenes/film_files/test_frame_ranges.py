"""Frames as people name them."""

import pytest

from innerwalk.scenes.film_files.frame_ranges import as_text, choose_frames, parse_frames
from innerwalk.torch_bridge.recording.errors import InputError


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("7", [7]),
        ("1-4", [1, 2, 3, 4]),
        ("3,5-7", [3, 5, 6, 7]),
        ("7-20:6", [7, 13, 19]),
        ("5-6, 1,5", [1, 5, 6]),
        ("4-4:9", [4]),
    ],
)
def test_frames_are_those_that_are_named(text, frames):
    assert choose_frames(parse_frames(text), 20) == frames


def test_nothing_named_is_the_whole_film():
    assert choose_frames((), 4) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "text", ["", "a", "1-", "-3", "1:2", "1--2", "1,,2", "٣", "1-99999999", "3-1", "1-9:0", "1," * 9999]
)
def test_no_frames_are_one_line(text):
    with pytest.raises(InputError) as refused:
        parse_frames(text)
    assert "frames" in str(refused.value)


@pytest.mark.parametrize("text", ["0", "0-3", "21", "1-21", "1-9999999"])
def test_a_film_has_no_other_frames(text):
    with pytest.raises(InputError, match="frames 1 to 20"):
        choose_frames(parse_frames(text), 20)


def test_frames_are_written_as_they_are_read():
    assert as_text([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert choose_frames(parse_frames(as_text([1, 2, 3, 7, 9, 10])), 20) == [1, 2, 3, 7, 9, 10]
    assert as_text(range(1, 30_000, 2), 3) == "1, 3, 5 and 14,997 more"
    assert as_text([1, 2, 3, 7, 9, 10], 3) == "1-3, 7, 9-10"
