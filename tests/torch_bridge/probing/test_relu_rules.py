"""The backward pass of ReLUs, however they are written, against the rules by hand."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.torch_bridge.probing.rectifiers import parse_rectifier  # noqa: E402
from innerwalk.torch_bridge.probing.relu_rules import ReluRuleMode, relu_rule  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402

VALUES = torch.tensor([-3.0, -1.0, -0.2, 0.5, 2.0, 5.0, 7.0, 9.0])
SENT = torch.tensor([1.0, -1.0, 1.0, 1.0, -2.0, 3.0, 4.0, -1.0])
RELUS = {
    "module": lambda x: nn.ReLU()(x),
    "module in place": lambda x: nn.ReLU(inplace=True)(x * 1),
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x * 1, True),
    "F.relu_": lambda x: F.relu_(x * 1),
    "torch.relu": torch.relu,
    "method": lambda x: x.relu(),
    "method in place": lambda x: (x * 1).relu_(),
    "left in place": lambda x: _left(x * 1),
    "a view in place": lambda x: _left((x * 1).reshape(2, 4)).reshape(-1),
    "clamp": lambda x: x.clamp(0),
    "clamp by name": lambda x: torch.clamp(x, min=0.0),
    "clamp_": lambda x: (x * 1).clamp_(min=0),
    "clamp_min": lambda x: torch.clamp_min(x, 0),
    "clip": lambda x: torch.clip(x, 0, None),
    "threshold": lambda x: F.threshold(x, 0, 0),
    "nn.Threshold": lambda x: nn.Threshold(0, 0)(x),
    "maximum": lambda x: torch.maximum(x, torch.zeros(())),
    "maximum with zeros first": lambda x: torch.maximum(torch.zeros_like(x), x),
    "max": lambda x: torch.max(x, torch.zeros_like(x)),
    "where": lambda x: torch.where(x > 0, x, 0.0),
    "where with zeros": lambda x: torch.where(x.ge(0), x, torch.zeros_like(x)),
    "where below 0": lambda x: torch.where(x < 0, 0.0, x),
    "where as a method": lambda x: x.where(x > 0, torch.zeros(())),
    "masked_fill": lambda x: x.masked_fill(x <= 0, 0),
    "masked_fill in place": lambda x: _filled(x * 1),
    "a product with a mask": lambda x: x * (x > 0),
    "a product with a mask of numbers": lambda x: (x > 0).float() * x,
    "a product in place": lambda x: _masked(x * 1),
    "aten": torch.ops.aten.relu.default,
    "aten in place": lambda x: torch.ops.aten.relu_.default(x * 1),
}
SIXES = {
    "nn.ReLU6": lambda x: nn.ReLU6()(x),
    "nn.ReLU6 in place": lambda x: nn.ReLU6(True)(x * 1),
    "F.relu6": F.relu6,
    "hardtanh": lambda x: F.hardtanh(x, 0, 6),
    "clamp": lambda x: x.clamp(0, 6),
    "aten": torch.ops.aten.relu6.default,
}


def _left(x):
    x.relu_()
    return x


def _filled(x):
    x.masked_fill_(x < 0, 0)
    return x


def _masked(x):
    x *= x > 0
    return x


def back(rule, function, values=VALUES, sent=SENT):
    """The output, and the gradient at the input."""
    x = values.clone().requires_grad_()
    with relu_rule(rule, nn.Identity()):
        result = function(x)
    (found,) = torch.autograd.grad(result, x, sent)
    return result.detach(), found


@pytest.mark.parametrize("way", RELUS)
def test_every_relu_follows_the_rule(way):
    for rule, wanted in [
        ("gradient", SENT * (VALUES > 0)),
        ("deconvnet", SENT.clamp(min=0)),
        ("guided", SENT.clamp(min=0) * (VALUES > 0)),
    ]:
        result, found = back(rule, RELUS[way])
        assert torch.equal(result, VALUES.clamp(min=0))
        assert torch.equal(found, wanted), rule


@pytest.mark.parametrize("way", SIXES)
def test_a_relu6_has_a_top(way):
    inside = (VALUES > 0) & (VALUES < 6)
    for rule, wanted in [("guided", SENT.clamp(min=0) * inside), ("deconvnet", SENT.clamp(min=0))]:
        result, found = back(rule, SIXES[way])
        assert torch.equal(result, VALUES.clamp(0, 6)) and torch.equal(found, wanted), rule


@pytest.mark.parametrize(
    "function",
    [
        F.gelu, F.silu, torch.tanh, torch.sigmoid, F.elu, lambda x: F.leaky_relu(x, 0.1), F.hardswish,
        lambda x: x.clamp(-1, 1), lambda x: x.clamp(max=0), lambda x: F.threshold(x, 0.1, 0.0), torch.abs,
        lambda x: x.clamp(torch.zeros(())), F.hardtanh, lambda x: torch.maximum(x, torch.ones(())),
        lambda x: torch.where(x > 0, x, 0.1 * x), lambda x: torch.where(x > 0, 0.0, x), lambda x: x * (x < 0),
        lambda x: x * (2 * x > 1), lambda x: torch.max(x, dim=0, keepdim=True).values * x, lambda x: x * x.sigmoid(),
        lambda x: (x * 2) * (x > 0),
    ],
)  # fmt: skip
def test_other_activations_keep_their_gradient(function):
    for rule in ("deconvnet", "guided"):
        assert torch.equal(back(rule, function)[1], back("gradient", function)[1])


def _negated(x, changed):
    """A mask of signs, of which one changes its values and the other itself before it is used."""
    mask = x > 0
    (x if changed == "values" else mask).copy_(-x if changed == "values" else ~mask)
    return torch.where(mask, x, 0.0)


@pytest.mark.parametrize("changed", ["values", "mask"])
def test_a_mask_that_no_longer_fits_its_values_makes_no_relu(changed):
    found, wanted = VALUES.clone().requires_grad_(), VALUES.clone().requires_grad_()
    with ReluRuleMode("guided") as mode:
        output = _negated(found * 1, changed)
    by_hand = _negated(wanted * 1, changed)
    assert mode.replaced == 0 and torch.equal(output, by_hand)
    output.sum().backward()
    by_hand.sum().backward()
    assert torch.equal(found.grad, wanted.grad)


def test_summary_counts_activations():
    x = VALUES.clone().requires_grad_()
    with relu_rule("guided", nn.Identity()) as mode:
        F.silu(F.gelu(F.gelu(torch.relu(x))))
    assert isinstance(mode, ReluRuleMode) and mode.summary() == "1 ReLUs by the rule; 2 gelu, 1 silu as they are"
    with relu_rule("guided", nn.Identity()) as mode:
        F.gelu(x)
    assert mode.summary() == "plain gradient: no ReLU on the way; 1 gelu as they are"


@pytest.mark.parametrize(
    ("function", "note"),
    [
        (F.relu, ""),
        (lambda x: F.gelu(F.relu(F.silu(x))), "own gradient of silu, gelu"),
        (torch.tanh, "plain gradient: no ReLU on the way; own gradient of tanh"),
        (lambda x: 2 * x, "plain gradient: no ReLU on the way"),
    ],
)
def test_notes_say_what_does_not_follow_the_rule(function, note):
    with relu_rule("deconvnet", nn.Identity()) as mode:
        function(VALUES.clone().requires_grad_())
    assert mode.note() == note


def test_a_deconvnet_skips_local_response_norm():
    x = torch.rand(1, 4, 2, 2, generator=torch.Generator().manual_seed(0)) * 9
    sent = torch.arange(16.0).reshape(1, 4, 2, 2)
    norm = nn.LocalResponseNorm(3, alpha=0.5)
    result, found = back("deconvnet", norm, x, sent)
    assert torch.equal(found, sent) and torch.allclose(result, norm(x))
    assert torch.allclose(back("guided", norm, x, sent)[1], back("gradient", norm, x, sent)[1])


def test_nothing_is_replaced_afterwards():
    for rule in ("deconvnet", "guided"):
        back(rule, F.relu)
    assert torch.equal(back("gradient", F.relu)[1], SENT * (VALUES > 0))


def test_whole_numbers_and_other_bounds_are_left_alone():
    assert parse_rectifier("clamp", (torch.tensor([1, -1]), 0), {}) is None
    assert parse_rectifier("clamp", (VALUES,), {"min": True}) is None
    assert parse_rectifier("relu", (VALUES,), {"out": VALUES}) is None
    assert parse_rectifier("relu_", (VALUES,), {}).in_place


def test_scripted_relus_are_out_of_reach():
    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            with pytest.warns(DeprecationWarning):
                self.part = torch.jit.script(nn.ReLU())

    model = Holder()
    with pytest.raises(InputError, match="layer part is scripted, its ReLUs can't follow another rule"):
        relu_rule("guided", model)
    with relu_rule("gradient", model):
        pass
