"""Layer-CAM by hand, on any layer, class and channels."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.fc = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 5, 3, 2), nn.Linear(5, 3)

    def forward(self, x):
        return self.fc(self.b(self.a(x).sin()).relu().square().mean((2, 3)))


def small():
    torch.manual_seed(1)
    return Small().eval()


def picture():
    return torch.randn(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("layer", ["a", "b"])
@pytest.mark.parametrize("channels", [(), (1, 4)])
def test_by_loops(layer, channels):
    model, x, seen = small(), picture(), 0.0
    for number in range(3):
        maps = model.a(x) if layer == "a" else model.b(model.a(x).sin())
        after = model.b(maps.sin()) if layer == "a" else maps
        score = model.fc(after.relu().square().mean((2, 3)))[0, number]
        (slopes,) = torch.autograd.grad(score, maps)
        values, slopes = maps[0].detach().numpy(), slopes[0].numpy()
        wanted = np.zeros(values.shape[1:])
        for y in range(values.shape[1]):
            for column in range(values.shape[2]):
                total = sum(max(slopes[k, y, column], 0) * values[k, y, column] for k in channels or range(len(values)))
                wanted[y, column] = max(total, 0)
        context = method_runs.make_context(model, x, [layer], channels)
        found = method_runs.run_method(context, "layer_cam", of_class=number, smooth=False)[layer]
        assert found.shape == (1, *wanted.shape) and np.allclose(found.data[0], wanted, atol=1e-7)
        seen = max(seen, wanted.max())
    assert seen > 1e-4
    smooth = method_runs.run_method(method_runs.make_context(model, x, [layer]), "layer_cam")[layer]
    assert smooth.shape == (1, 12, 12) and smooth.frame == "input" and not smooth.note


def test_a_map_of_zeros_says_why():
    model = small()
    with torch.no_grad():
        model.b.bias.fill_(-1000)
    context = method_runs.make_context(model, picture(), ["a"], class_names=("ant", "bee", "cat"))
    found = method_runs.run_method(context, "layer_cam", of_class=1)["a"]
    assert not found.data.any() and found.note == "zero everywhere: the score of bee depends on none of these values"
    with pytest.raises(InputError, match="fc: channels that are single numbers have no positions to show"):
        method_runs.run_method(method_runs.make_context(small(), picture(), ["fc"]), "layer_cam")
