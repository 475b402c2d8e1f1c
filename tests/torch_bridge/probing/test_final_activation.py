"""The scores before the softmax or sigmoid that ends a network, however it is written."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.torch_bridge.predictions.class_names import ClassNames  # noqa: E402
from innerwalk.torch_bridge.predictions.classes import class_scores, find_class  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import PartialForward  # noqa: E402


class Ended(nn.Module):
    """Four scores and a function after them."""

    def __init__(self, end):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.fc, self.end = nn.Conv2d(3, 5, 3), nn.Linear(5, 4), end
        nn.init.normal_(self.fc.weight, 0, 9)

    def logits(self, x):
        return self.fc(self.a(x).mean((2, 3)).softmax(1))  # a softmax that is not the end

    def forward(self, x):
        return self.end(self.logits(x))


PICTURES = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
SOFTMAXES = {
    "module": nn.Softmax(1),
    "function": lambda z: F.softmax(z, -1),
    "method": lambda z: z.softmax(1),
    "log": nn.LogSoftmax(1),
    "log of a softmax": lambda z: z.softmax(1).log(),
    "planes": lambda z: nn.Softmax2d()(z[:, :, None, None]),
    "planes, flattened": lambda z: z[:, :, None, None].softmax(1).flatten(1),
    "a dictionary": lambda z: {"aux": z * 2, "logits": z.softmax(1)},
}


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("end", SOFTMAXES)
def test_scores_are_those_before_the_softmax(end, traced):
    model = Ended(SOFTMAXES[end]).eval()
    layers = [":mean"] if traced else ["a"]
    result = PartialForward(model, layers, (PICTURES,))((PICTURES,), to_output=True)
    wanted = model.logits(PICTURES)
    assert torch.allclose(class_scores(result.output), wanted, atol=1e-5) and not result.independent
    found = find_class(class_scores(result.output), 2, ClassNames(), independent=result.independent)
    assert found.probability == pytest.approx(wanted.softmax(1)[0, 2].item(), abs=1e-6)


@pytest.mark.parametrize("end", [nn.Sigmoid(), nn.LogSigmoid(), torch.special.expit])
def test_a_sigmoid_gives_each_class_its_own_probability(end):
    model = Ended(end).eval()
    result = PartialForward(model, ["a"], (PICTURES,))((PICTURES,), to_output=True)
    wanted = model.logits(PICTURES)
    assert torch.allclose(result.output, wanted, atol=1e-5) and result.independent
    found = find_class(result.output, 1, ClassNames(), independent=True)
    assert found.probability == pytest.approx(wanted.sigmoid()[0, 1].item(), abs=1e-6)


@pytest.mark.parametrize(
    "end",
    [
        nn.Identity(), lambda z: z.softmax(1) * 2, lambda z: (z.softmax(1) + z.flip(1).softmax(1)) / 2,
        lambda z: z.softmax(1)[:, :3], lambda z: torch.sigmoid_(z * 1), lambda z: z.softmax(1).t().contiguous().t(),
    ],
)  # fmt: skip
def test_other_outputs_are_the_scores(end):
    model = Ended(end).eval()
    result = PartialForward(model, ["a"], (PICTURES,))((PICTURES,), to_output=True)
    assert torch.allclose(result.output, model(PICTURES), atol=1e-6) and not result.independent


def test_gradients_are_those_of_the_scores():
    model = Ended(nn.Softmax(1)).eval()
    leaf = PICTURES.clone().requires_grad_()
    result = PartialForward(model, ["a"], (PICTURES,))((leaf,), to_output=True)
    (found,) = torch.autograd.grad(result.output[0, 3], leaf)
    (wanted,) = torch.autograd.grad(model.logits(leaf)[0, 3], leaf)
    assert torch.allclose(found, wanted, atol=1e-7) and wanted.abs().max() > 1e-4
