"""`ask` runs the network on exactly the inputs that it gets, and says in one line what it can't take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from innerwalk.torch_bridge import ask, record  # noqa: E402
from innerwalk.torch_bridge.data import open_data  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ArgumentError, InnerwalkError, InputError, UnknownName  # noqa: E402

torch.set_num_threads(1)
SIDE = 6
PICTURE = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
MASK = torch.arange(SIDE * SIDE).reshape(1, 1, SIDE, SIDE) % 3 == 0


class Masked(nn.Module):
    """Channels of a 1 × 1 convolution where a mask is set, times a scale; remembers its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.last = nn.Conv2d(3, 4, 1, bias=False), nn.Conv2d(4, 4, 1, bias=False)
        nn.init.dirac_(self.last.weight)  # the same values
        self.seen: list[Any] = []

    def forward(self, x: torch.Tensor, mask: Any = None, *, scale: float = 1.0, **more: Any) -> torch.Tensor:
        self.seen.append((x, mask, scale, more))
        x = self.mix(x)
        x = x if mask is None else x * mask  # boolean: only where it is set
        return self.last(x * scale)


class Wrapper(nn.Module):
    """Passes everything on, as the wrappers of other libraries do."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        return self.inner(*args, **kwargs)


def saliency_by_hand(net: Masked, mask: Any, scale: float) -> np.ndarray:
    """(4, SIDE, SIDE): the largest |gradient| over colours of each channel's mean, which is linear in the input."""
    weights = net.mix.weight[:, :, 0, 0].abs().amax(1) * scale / SIDE**2
    shown = torch.ones(1, SIDE, SIDE) if mask is None else mask[0].float()
    return (weights[:, None, None] * shown).detach().numpy()


INPUTS = {
    "positional": ((PICTURE, MASK), MASK, 1.0),
    "none": ((PICTURE, None), None, 1.0),
    "named": ({"mask": MASK, "x": PICTURE}, MASK, 1.0),
    "keyword only": ({"x": PICTURE, "mask": None, "scale": 3.0}, None, 3.0),
    "skips one": ({"x": PICTURE, "scale": 2.0}, None, 2.0),
    "nested": ({"x": PICTURE, "mask": MASK, "more": {"a": [MASK, None, "text"]}}, MASK, 1.0),
}


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("name", INPUTS)
def test_any_arguments_that_record_takes(name: str, wrapped: bool) -> None:
    inputs, mask, scale = INPUTS[name]
    if wrapped and isinstance(inputs, dict):
        inputs = {"x": inputs["x"], **inputs}  # without names of arguments the picture must be the first
    net = Masked()
    recording = ask(Wrapper(net) if wrapped else net, inputs, "saliency", "*last", of="mean")
    layer = "inner.last" if wrapped else "last"
    assert np.allclose(recording.maps(layer, "saliency").data, saliency_by_hand(net, mask, scale), atol=1e-6)
    for x, seen_mask, seen_scale, _ in net.seen:
        assert x.dtype == torch.float32 and seen_scale == scale
        assert seen_mask is None if mask is None else seen_mask.dtype == torch.bool


def test_the_network_gets_equal_copies() -> None:
    """In the caller's dtype, and at each run those that the caller passed, whatever a network writes to them."""
    net, tokens = Masked(), torch.ones(1, 1, 1, 1, dtype=torch.int16)
    ask(net, {"x": PICTURE, "mask": tokens}, "activations", "last")
    for x, mask, _, _ in net.seen:
        assert torch.equal(x, PICTURE) and x.data_ptr() != PICTURE.data_ptr()
        assert torch.equal(mask, tokens) and mask.dtype == torch.int16


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_dtypes_of_networks(dtype: torch.dtype) -> None:
    net = Masked().to(dtype)
    maps = ask(net, PICTURE.to(dtype).requires_grad_(), "saliency", "last", of="mean").maps("last", "saliency")
    assert np.allclose(maps.data, saliency_by_hand(net.float(), None, 1.0), rtol=0.02)


def test_a_second_input_of_another_dtype_repeats_with_the_first() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mix, self.further = nn.Conv2d(3, 2, 1), nn.Linear(4, 2).double()

        def forward(self, x: torch.Tensor, further: torch.Tensor) -> torch.Tensor:
            return self.mix(x).mean((2, 3)) + self.further(further).float()

    net, numbers = Two(), torch.tensor([[1.0, -2.0, 0.5, 3.0]]).double()
    recording = ask(net, (PICTURE, numbers), "occlusion", "further")
    assert np.allclose(recording.maps("further").data[:, 0, 0], net.further(numbers)[0].detach().numpy(), atol=1e-6)
    assert np.all(recording.maps("further", "occlusion").data == 0)  # it doesn't see the picture


def test_looking_changes_nothing() -> None:
    """Batch norm in training mode, on an input that is no picture."""
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Conv2d(3, 3, 1)).train()
    net.forward = lambda x: net[1](net[0](x))  # type: ignore[method-assign]
    before = {name: value.clone() for name, value in net.state_dict().items()}
    ask(net, torch.randn(1, 4), "activations", "1")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.training and net[1].training


def test_a_layer_and_channels_may_be_text() -> None:
    net = Masked()
    listed = ask(net, PICTURE, "saliency", ["mix"], [0, 2, 3], of="mean").maps("mix", "saliency")
    text = ask(net, PICTURE, "saliency", "mix", "0,2-3", of="mean").maps("mix", "saliency")
    assert np.array_equal(listed.data, text.data) and text.channel_numbers == (0, 2, 3) and text.data.all()


def test_a_data_set_by_its_place() -> None:
    net = Masked()
    by_place = ask(net, PICTURE, "average", "last", data="concepts:object", count=3)
    opened = ask(net, PICTURE, "average", "last", data=open_data("concepts:object"), count=3)
    assert np.array_equal(by_place.maps("last", "average").data, opened.maps("last", "average").data)
    assert by_place.provenance["asked"]["data"] == opened.provenance["asked"]["data"]


def test_pictures_of_a_data_set_come_with_the_other_inputs() -> None:
    net, tokens = Masked(), torch.zeros(1, 1, 1, 1, dtype=torch.int64)
    recording = ask(net, (PICTURE, tokens), "average", "last", data="concepts:object", count=2)
    assert not recording.maps("last", "average").data.any()
    assert all(mask.dtype == torch.int64 for _, mask, _, _ in net.seen)


def test_arrays_are_tensors_of_their_dtype() -> None:
    """Also in lists, and read-only ones with negative strides."""
    mirrored = PICTURE.numpy()[..., ::-1]
    mirrored.setflags(write=False)
    net, inputs = Masked(), {"x": mirrored, "mask": MASK.numpy(), "more": {"a": [np.arange(3)]}}
    asked, recorded = ask(net, inputs, "saliency", "last"), record(net, inputs)
    wanted = net.last(net.mix(PICTURE.flip(-1)) * MASK)[0].detach()
    for recording in (asked, recorded):
        assert torch.equal(torch.from_numpy(recording.maps("last").data.copy()), wanted)
    for _, mask, _, more in net.seen[:-1]:
        assert mask.dtype == torch.bool and more["more"]["a"][0].dtype == torch.int64


def test_a_network_of_tokens_takes_no_pictures() -> None:
    net = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3))
    with pytest.raises(InputError, match="^Sequential takes no pictures of a data set: its first input isn't one$"):
        ask(net, torch.tensor([[1, 4]]), "average", data="concepts:object")


def test_pictures_of_a_data_set_for_an_argument_that_has_to_be_named() -> None:
    class Named(Masked):
        def forward(self, *, x: torch.Tensor, mask: Any) -> torch.Tensor:
            return super().forward(x, mask)

    none = torch.zeros(1, 1, 1, 1, dtype=torch.bool)
    recording = ask(Named(), {"x": PICTURE, "mask": none}, "average", "last", data="concepts:object", count=2)
    assert not recording.maps("last", "average").data.any()


def test_a_complex_input_is_drawn_by_its_magnitude() -> None:
    values = torch.zeros(1, 3, 4, 4, dtype=torch.complex64)
    values[..., 0, 0] = 3 - 4j
    picture = ask(nn.Conv2d(3, 2, 1, dtype=torch.complex64), values, "activations").picture
    assert (picture[0, 0] == 255).all() and not picture[1:].any()


@pytest.mark.parametrize("method", METHODS)
def test_a_network_without_panels_is_one_line(method: str) -> None:
    net = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    line = "^Sequential: no layer with a panel is asked about; name layers, such as 0, 1, 2$"
    with pytest.raises(InputError, match=line):
        ask(net, PICTURE, method)
    if method == "activations":
        maps = ask(net, PICTURE, method, "*").maps("1").data
        assert np.allclose(maps[:, 0, 0], PICTURE.relu().mean((2, 3))[0], atol=1e-6)


def test_class_names() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 2))
    recording = ask(net, PICTURE, "activations", "1", classes=["cat", "dog"])
    assert {name for _, name, _ in recording.prediction.top} == {"cat", "dog"}
    with pytest.raises(InputError, match="1 names, the network has 2 classes"):
        ask(net, PICTURE, "activations", "1", classes=["cat"])


NOTHING = "'cat.png' isn't read here: pass a tensor, or make a hall with Hall.of"
WRONG: dict[str, tuple[type[InnerwalkError], dict[str, Any]]] = {
    r"channels: \[1.5\] is not a list of whole numbers; write \[0, 3\] or \"0,3,8-11\"": (
        InputError,
        {"channels": [1.5]},
    ),
    r"channels: 5 is not a list of whole numbers": (InputError, {"channels": 5}),
    "'a' is not a list of channels": (InputError, {"channels": "a"}),
    "ask: method is '5' of type int; it must be str": (ArgumentError, {"method": 5}),
    "no method 'salience'; did you mean saliency": (UnknownName, {"method": "salience"}),
    "no layer 'mux'; did you mean mix": (UnknownName, {"layers": "mux"}),
    "3 is not a name": (InputError, {"layers": [3]}),
    "saliency: of is 'maen'; did you mean mean": (InputError, {"of": "maen"}),
    "no parameter of saliency 'layer'; did you mean layers": (UnknownName, {"layer": "mix"}),
    "no parameter of saliency 'of_clas'; did you mean of_class": (UnknownName, {"of_clas": 1}),
    "data set nowhere: no such folder": (InputError, {"data": "nowhere"}),
    NOTHING: (InputError, {"inputs": "cat.png"}),
    "an array of object can't be an input; numbers or booleans are needed": (
        InputError,
        {"inputs": np.array([None])},
    ),
    "int is not a torch.nn.Module": (InnerwalkError, {"model": 3}),
}


@pytest.mark.parametrize("line", WRONG)
def test_what_it_cannot_take_is_one_line(line: str) -> None:
    error, wrong = WRONG[line]
    with pytest.raises(error, match=f"^{line}") as caught:
        ask(**{"model": Masked(), "inputs": PICTURE, "method": "saliency", **wrong})
    assert "\n" not in str(caught.value)


def test_a_missing_method_is_named() -> None:
    with pytest.raises(ArgumentError, match="ask: argument 'method' is missing"):
        ask(Masked(), PICTURE)  # type: ignore[call-arg]
