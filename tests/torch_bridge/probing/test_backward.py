"""A backward pass that fails is one line that names the layer, in every method that needs one."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

from innerwalk.torch_bridge import ask, record  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ModelError  # noqa: E402

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # of checkpoints
PICTURE = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
METHODS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "grad_cam": ("first", "the answer to layer first", {}),
    "contribution": ("first", "the answer to layer first", {}),
    "saliency": ("last", "layer last", {}),
    "guided_backprop": ("last", "layer last", {}),
    "deconvnet": ("last", "layer last", {}),
    "inversion": ("last", "layer last", {"steps": 2}),
    "maximisation": ("last", "layer last", {"steps": 2}),
}
"""The layer that each is asked about, what it propagates back, and parameters."""
REASONS = {
    "re-entrant": "RuntimeError: When use_reentrant=True, torch.utils.checkpoint is incompatible with",
    "no backward": "NotImplementedError: not for this one",
    "in place": "RuntimeError: one of the variables needed for gradient computation has been modified",
}


class NoBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        return values.clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("not for this one")


class Net(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.first, self.relu, self.last = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = self.first(x)
        match self.how:
            case "re-entrant" | "checkpoint":
                values = checkpoint(self.relu, values, use_reentrant=self.how == "re-entrant")
            case "no backward":
                values = NoBackward.apply(values)
            case "in place":
                values = values.sigmoid()
                values.mul_(2)
        return self.last(values).mean((2, 3))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", REASONS)
def test_it_is_one_line(method: str, how: str) -> None:
    layer, place, parameters = METHODS[method]
    line = f"^the network's backward pass from {place} failed: {REASONS[how]}"
    with pytest.raises(ModelError, match=line) as caught:
        ask(Net(how), PICTURE, method, layer, **parameters)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", [*REASONS, "checkpoint"])
def test_the_values_are_recorded_all_the_same(how: str) -> None:
    net = Net(how)
    with torch.no_grad():
        wanted = net.last(
            {"no backward": lambda x: x, "in place": lambda x: 2 * x.sigmoid()}.get(how, net.relu)(net.first(PICTURE))
        )
    assert torch.equal(torch.from_numpy(record(net, PICTURE).maps("last").data.copy()), wanted[0])


@pytest.mark.parametrize("method", METHODS)
def test_checkpoints_that_are_not_re_entrant_work(method: str) -> None:
    layer, _, parameters = METHODS[method]
    torch.manual_seed(0)
    net = Net("checkpoint")
    plain = Net("")
    plain.load_state_dict(net.state_dict())
    plain.first = nn.Sequential(plain.first, nn.ReLU())
    wanted = ask(plain, PICTURE, method, layer.replace("first", "first.0"), **parameters)
    found = ask(net, PICTURE, method, layer, **parameters).maps(layer, method)
    assert torch.allclose(
        *(
            torch.from_numpy(maps.texels)
            for maps in (found, wanted.maps(wanted.network.layer(layer.replace("first", "first.0")).id, method))
        ),
        atol=1e-5,
    )
