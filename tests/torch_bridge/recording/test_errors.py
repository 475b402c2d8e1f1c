"""Every error is one printable line of bounded length, whatever a stranger has put into it."""

import pytest

from innerwalk.torch_bridge.recording import errors
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName, as_line, error_from_wire


@pytest.mark.parametrize(
    "error",
    [
        InputError("picture " + "a" * 100_000 + ": no such file"),
        InputError("\x1b" * 100_000),
        error_from_wire("InputError", "a" * 100_000),
        UnknownName("layer", "b", ["a" * 100_000] * 6),
        InputError("a\nb\r\nc\u2028d"),
    ],
)
def test_an_error_is_a_line_that_can_be_read(error: Exception) -> None:
    assert len(str(error)) <= 1000 and str(error).isprintable()


def test_a_long_line_keeps_its_end() -> None:
    assert str(InputError("picture " + "a" * 100_000 + ": no such file")).endswith("aaa: no such file")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain, 7×7 … 日本", "plain, 7×7 … 日本"),
        ("clear \x1b[2J", "clear \\x1b[2J"),
        ("null \0", "null \\x00"),
        ("turned \u202e", "turned \\u202e"),
        ("half \ud83d", "half \\ud83d"),
        ("two\nlines", "two\\nlines"),
        ("C:\\new", "C:\\new"),
    ],
)
def test_what_terminals_would_obey_is_escaped(text: str, line: str) -> None:
    assert as_line(text) == as_line(line) == line


def test_beginning_and_end_of_a_long_line_stay() -> None:
    assert as_line("0123456789abcdefghij", 11) == "0123 … hij"
    assert [len(as_line("\0" * count, 100)) <= 100 for count in (24, 25, 26, 99, 100, 101)] == [True] * 6


def test_only_so_many_names_are_compared(monkeypatch):
    monkeypatch.setattr(errors, "MAX_COMPARED", 2)
    assert errors.nearest("conv1", ["zzz", "conv2", "conv3"]) == "did you mean conv2?"
