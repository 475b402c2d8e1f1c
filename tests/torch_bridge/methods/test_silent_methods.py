"""No method answers silently with zeros or blanks: maps that show nothing have a note, refusals are one line."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InnerwalkError  # noqa: E402


class Transformer(nn.Module):
    """Two blocks over the 4 x 4 patches of a picture; the class is read from a class token or from the mean."""

    def __init__(self, token=True):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 8)) if token else None
        self.places = nn.Parameter(torch.randn(1, 16 + token, 8))
        self.blocks = nn.Sequential(*(nn.TransformerEncoderLayer(8, 2, 16, 0, batch_first=True) for _ in range(2)))
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, 4)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        if self.token is not None:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
        x = self.norm(self.blocks(x + self.places))
        return self.head(x.mean(1) if self.token is None else x[:, 0])


class UNet(nn.Module):
    """A mask of three classes."""

    def __init__(self):
        super().__init__()
        self.down, self.middle, self.up = nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(7, 3, 1)

    def forward(self, x):
        y = self.middle(self.down(x).relu()).relu()
        return self.up(torch.cat([nn.functional.interpolate(y, scale_factor=2.0), x], 1))


def cnn(end=None):
    first = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, 2), nn.ReLU()
    return nn.Sequential(*first, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4), *filter(None, [end]))


PICTURE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
NETWORKS = {
    "a CNN": (cnn, PICTURE),
    "a CNN with a softmax": (lambda: cnn(nn.Softmax(1)), PICTURE),
    "a CNN with a sigmoid": (lambda: cnn(nn.Sigmoid()), PICTURE),
    "a ViT with a class token": (Transformer, PICTURE),
    "a ViT with a mean": (lambda: Transformer(token=False), PICTURE),
    "a U-Net": (UNet, PICTURE),
    "an MLP": (lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4)), torch.ones(1, 6)),
    "an MLP of pictures": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(768, 8), nn.GELU(), nn.Linear(8, 4)), PICTURE),
    "1-D": (lambda: nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Conv1d(4, 3, 3)), torch.ones(1, 2, 20)),
}
QUICK = {
    "maximisation": {"steps": 1},
    "dgn_am": {"steps": 1},
    "evidence": {"steps": 1, "count": 2, "best": 1},
    "inversion": {"steps": 2},
    "average": {"count": 2},
    "health": {"count": 2},
    "top_images": {"count": 2, "best": 1},
    "localisation_scores": {"count": 2},
    "occlusion": {"size": 0.5, "stride": 1.0},
    "smooth_grad": {"count": 2},
    "integrated_gradients": {"steps": 2},
    "rise": {"count": 3},
    "attribution_scores": {"steps": 2, "methods": "saliency,layer_cam"},
    "attribution_sanity": {"stages": 2, "methods": "saliency,layer_cam"},
}
CLASSES = ("saliency", "guided_backprop", "deconvnet", "occlusion")
"""Methods that may be about a class, and are about channels unless asked."""
CHANNELS = ("smooth_grad", "gradient_x_input", "integrated_gradients", "rise")
"""Methods that may be about channels, and are about a class unless asked."""


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def pictures():
    rng = np.random.default_rng(0)
    return method_runs.Pictures([rng.integers(0, 255, (16, 16, 3), np.uint8) for _ in range(2)])


def some_panels(model, x):
    """The first panel, one in the middle, and the last ones, which a class token leaves without influence."""
    ids = [layer.id for layer in method_runs.make_context(model, x, []).network.layers if layer.role == "panel"]
    return list(dict.fromkeys([ids[0], ids[len(ids) // 2], *ids[-3:]]))


def shows_something(maps):
    """Whether the maps differ from zero, from blank and from the middle grey of signed colours."""
    if not maps.colour:
        return bool(maps.data.any())
    seen = maps.data[maps.texels[..., 3].any((1, 2))]
    return bool((np.abs(seen - 0.5) > 1e-6).any())


@pytest.mark.parametrize("network", NETWORKS)
def test_a_method_never_answers_silently_with_nothing(network):
    build, x = NETWORKS[network]
    model = build().eval()
    how = method_runs.CONCEPTS.__class__(size=(16, 16), mean=(0.5,) * 3, std=(0.5,) * 3)
    context = method_runs.make_context(model, x, some_panels(model, x), data=pictures(), preprocessing=how)
    answers = 0
    runs = [(name, QUICK.get(name, {})) for name in METHODS]
    runs += [(name, QUICK.get(name, {}) | {"of": "class"}) for name in CLASSES]
    runs += [(name, QUICK.get(name, {}) | {"of": "mean"}) for name in CHANNELS]
    runs += [("contribution", {"how": how}) for how in ("weights", "ablation")]
    for name, parameters in runs:
        try:
            found = method_runs.run_method(context, name, **parameters)
        except InnerwalkError as error:
            assert len(str(error).splitlines()) == 1, (name, str(error))
            continue
        answers += len(found)
        assert found, f"{name} gives no maps and no error"
        for layer, maps in found.items():
            assert shows_something(maps) or maps.note, f"{name} {parameters} of {layer} shows nothing"
    assert answers > 3
