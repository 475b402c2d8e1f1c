"""Failures are blamed on the network if its own code has failed, on nobody else."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from innerwalk.torch_bridge import ask, record  # noqa: E402
from innerwalk.torch_bridge.capture.trace import run  # noqa: E402
from innerwalk.torch_bridge.probing import partial_forward  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ModelError  # noqa: E402

torch.set_num_threads(1)
PICTURE = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Speechless(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class Fails(nn.Module):
    """Fails in the second layer, in one of several ways."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.first, self.second, self.how = nn.Conv2d(3, 4, 3), Second(how), how

    def forward(self, x: torch.Tensor) -> Any:
        return self.second(self.first(x))


class Second(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.inner = how, nn.Conv2d(9, 2, 3)
        if how == "user's hook":
            self.register_forward_pre_hook(lambda module, args: args[0].missing)

    def forward(self, x: torch.Tensor) -> Any:
        match self.how:
            case "operation":
                return x @ torch.ones(3, 3)
            case "query":
                return float(x)
            case "attribute":
                return x.absent
            case "own code":
                return {}["key"]
            case "no message":
                raise AssertionError
            case "endless":
                return self(x)
            case "leaves":
                raise SystemExit(3)
            case "speechless":
                raise Speechless
            case "commands to a terminal":
                raise type("Odd\x1b[2J", (ValueError,), {})("a\x1b[31m \0 \u202e \ud83d\nb" + "c" * 10**6)
            case _:
                return self.inner(x)


FAILURES = {
    "operation": r"in layer 'second' \(Second\): RuntimeError: ",
    "query": r"in layer 'second' \(Second\): ValueError: only one element tensors",
    "attribute": r"in layer 'second' \(Second\): AttributeError: 'Tensor' object has no attribute 'absent'",
    "own code": r"in layer 'second' \(Second\): KeyError: 'key'",
    "no message": r"in layer 'second' \(Second\): AssertionError: no reason given",
    "endless": r"in layer 'second' \(Second\): RecursionError: maximum recursion depth exceeded",
    "leaves": r"in layer 'second' \(Second\): SystemExit: 3",
    "speechless": r"in layer 'second' \(Second\): Speechless: its message fails with ValueError",
    "commands to a terminal": r"in layer 'second' \(Second\): Odd\\x1b\[2J: a\\x1b\[31m \\x00 \\u202e \\ud83d b",
    "user's hook": r"in layer 'second' \(Second\): AttributeError: 'Tensor' object has no attribute 'missing'",
    "inner layer": r"in layer 'second.inner' \(Conv2d\): RuntimeError: Given groups=1",
}


@pytest.mark.filterwarnings("ignore:global module forward hook")  # at the recursion limit
@pytest.mark.parametrize("how", FAILURES)
def test_failures_of_the_network_name_the_layer(how: str) -> None:
    for look in (lambda: record(Fails(how), PICTURE), lambda: ask(Fails(how), PICTURE, "saliency", "first")):
        with pytest.raises(ModelError, match=f"the network failed (?:{FAILURES[how]})") as caught:
            look()
        assert str(caught.value).isprintable() and len(str(caught.value)) < 700


class Pair(nn.Module):
    """Needs a second input that its signature calls optional, as networks of transformers do."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.layer, self.words = nn.Linear(2, 2), words

    def forward(self, ids: torch.Tensor, pixels: Any = None, pixels_mask: Any = None) -> Any:
        if pixels is None:
            raise ValueError(self.words)
        return self.layer(ids) + pixels


def test_an_optional_input_that_the_network_asks_for_is_named() -> None:
    asked = r"in its own forward \(Pair\): forward also needs pixels; ValueError: You have to specify pixels$"
    with pytest.raises(ModelError, match=asked):
        record(Pair("You have to specify pixels"), torch.ones(1, 2))
    with pytest.raises(ModelError, match="forward also needs pixels or pixels_mask; ValueError"):
        record(Pair("give either pixels_mask or pixels"), {"ids": torch.ones(1, 2)})
    for words in ("the ids are wrong", "no pixels_masks"):
        with pytest.raises(ModelError, match=rf"\(Pair\): ValueError: {words}$"):
            record(Pair(words), torch.ones(1, 2))
    assert record(Pair(""), {"ids": torch.ones(1, 2), "pixels": torch.ones(1, 2)}).network.layers


@pytest.mark.parametrize("error", [ValueError("ours"), RuntimeError("ours")])
def test_our_own_failures_are_not_blamed_on_the_network(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise error

    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    with monkeypatch.context() as patch:
        patch.setattr(run, "choose_layout", fail)
        with pytest.raises(type(error), match="^ours$"):
            record(net, PICTURE)
    monkeypatch.setattr(partial_forward, "get_gradient_edge", fail)
    with pytest.raises(type(error), match="^ours$"):
        ask(net, PICTURE, "grad_cam", "0")


def test_memory_that_runs_out_in_our_own_code_is_the_networks_size(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any) -> None:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(run, "choose_layout", fail)
    with pytest.raises(ModelError, match="^the network failed: OutOfMemoryError: out of memory$"):
        record(nn.Sequential(nn.Conv2d(3, 4, 3)), PICTURE)


def test_failures_of_a_callback_are_not_blamed_on_the_network() -> None:
    def stop(*arguments: Any) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="^'?enough'?$"):
        record(nn.Sequential(nn.Conv2d(3, 4, 3)), PICTURE, on_maps=stop)
    with pytest.raises(LookupError, match="^'?enough'?$"):
        record(nn.Sequential(nn.Conv2d(3, 4, 3)), PICTURE, progress=stop)
