"""Calls that don't fit a signature are answered in one line that says what would be right."""

import inspect

import numpy as np
import pytest

from innerwalk.torch_bridge.recording.arguments import checked_arguments
from innerwalk.torch_bridge.recording.errors import ArgumentError, InnerwalkError, error_from_wire


@checked_arguments
def record(model: str, inputs: int, *, layers: str = "*", index: int = 0) -> str:
    """Docstring of record."""
    return f"{model} {inputs + 0} {layers} {index}"


@checked_arguments
def ask(model: str, method: str, **parameters: int) -> dict[str, int]:
    return parameters


class Hall:
    @checked_arguments
    def __init__(self, recording: str) -> None:
        self.recording = recording

    @checked_arguments
    def place(self, x: float, y: float = 0.0) -> tuple[float, float]:
        return x, y

    @classmethod
    @checked_arguments
    def build(cls, name: str) -> "Hall":
        return cls(name)

    @checked_arguments
    def wait(self) -> None:
        pass


WRONG = {
    "record: no argument 'layer'; did you mean layers?": lambda: record("m", 1, layer="a"),
    "record: no argument 'zzz'; it takes model, inputs, layers, index": lambda: record("m", 1, zzz=1),
    "record: argument 'inputs' is missing; it takes model, inputs, layers, index": lambda: record("m"),
    "record: argument 'model' is passed twice, in order and by name": lambda: record("m", 1, model="n"),
    "record: 3 arguments are passed without a name; only model, inputs can be passed without a name": lambda: record(
        "m", 1, "a"
    ),
    "ask: no argument 'metod'; did you mean method?": lambda: ask("m", metod="saliency"),
    "Hall: argument 'recording' is missing; it takes recording": lambda: Hall(),
    "Hall: no argument 'recordin'; did you mean recording?": lambda: Hall(recordin="a"),
    "Hall.place: argument 'x' is missing; it takes x, y": lambda: Hall("a").place(),
    "Hall.place: 3 arguments are passed without a name; it takes x, y": lambda: Hall("a").place(1, 2, 3),
    "Hall.build: argument 'name' is missing; it takes name": lambda: Hall.build(),
    "Hall.wait: no argument 'seconds'; it takes no arguments": lambda: Hall("a").wait(seconds=3),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_call_says_what_would_be_right(message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        WRONG[message]()
    assert str(caught.value) == message
    assert isinstance(caught.value, InnerwalkError) and isinstance(caught.value, TypeError)


def test_calls_that_fit_are_unchanged() -> None:
    assert record("m", 1, layers="a") == record(inputs=1, model="m", layers="a") == "m 1 a 0"
    assert ask("m", "saliency", steps=3) == {"steps": 3}
    assert Hall.build("b").recording == "b"
    assert Hall("a").place(1, y=2) == (1, 2)
    assert list(inspect.signature(record).parameters) == ["model", "inputs", "layers", "index"]
    assert record.__doc__ == "Docstring of record."


def test_an_error_of_the_function_itself_stays() -> None:
    with pytest.raises(TypeError, match="can only concatenate") as caught:
        checked_arguments(lambda text: text + 1)("a")
    assert not isinstance(caught.value, ArgumentError)


def test_it_survives_the_wire() -> None:
    assert type(error_from_wire("ArgumentError", "record: no argument 'x'")) is ArgumentError


@checked_arguments
def typed(text: str, count: int = 0, share: "float | None" = None, *rest: int, flag: bool = False) -> str:
    return text


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: typed(3), "typed: text is '3' of type int; it must be str"),
        (lambda: typed("a", "b"), "typed: count is 'b' of type str; it must be int"),
        (lambda: typed("a", share="x"), "typed: share is 'x' of type str; it must be float or None"),
        (lambda: typed("a", flag=1), "typed: flag is '1' of type int; it must be bool"),
    ],
)
def test_values_of_plain_types_are_checked(call, line):
    with pytest.raises(ArgumentError, match=f"^{line}"):
        call()


def test_numbers_of_numpy_are_numbers():
    assert typed("a", np.int64(3), np.float32(0.5), 1, 2, flag=True) == typed("a", 3, 1) == "a"
