"""Methods about a layer that works on windows: they look at the chosen window, and their maps say which it is."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from innerwalk.tests.support.own_networks import Windowed  # noqa: E402
from innerwalk.torch_bridge import ask  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402

WINDOW = {"inside": 2}
"""The lower left one of the four."""
OF_THE_WINDOW: dict[str, dict[str, object]] = {
    "activations": {}, "grad_cam": {}, "layer_cam": {}, "saliency": {}, "guided_backprop": {}, "deconvnet": {},
    "occlusion": {}, "contribution": {}, "smooth_grad": {"of": "mean", "count": 3}, "gradient_x_input": {"of": "mean"},
    "integrated_gradients": {"of": "maximum", "steps": 3}, "rise": {"of": "mean", "count": 9},
}  # fmt: skip
"""By method: its parameters."""


@pytest.fixture(scope="module")
def model() -> Windowed:
    torch.manual_seed(3)
    return Windowed().eval()


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def asked(model, x, method, positions=WINDOW, **parameters):
    return ask(model, x, method, ["stem", "inside"], positions=positions, **parameters).all_maps


def windows(model, x) -> torch.Tensor:
    """(4, 5, 8, 8): the values of the layer in each window, written without reshapes of the batch."""
    y = model.stem(x).relu()
    corners = [(row, column) for row in (0, 8) for column in (0, 8)]
    return torch.cat([model.inside(y[..., row : row + 8, column : column + 8]) for row, column in corners])


@pytest.mark.parametrize("method", OF_THE_WINDOW)
def test_the_maps_say_the_window(model, x, method):
    parameters = OF_THE_WINDOW[method]
    maps = asked(model, x, method, **parameters)
    assert maps["inside", method].place == "window 2 of 4" and maps["stem", method].place == ""
    first = asked(model, x, method, {}, **parameters)
    assert first["inside", method].place == "window 0 of 4"
    assert not np.allclose(first["inside", method].data, maps["inside", method].data)
    assert np.allclose(first["stem", method].data, maps["stem", method].data, atol=1e-7)


@pytest.mark.parametrize("method", ["grad_cam", "layer_cam"])
def test_heat_is_of_the_window(model, x, method):
    values = windows(model, x).detach().requires_grad_()
    scores = model.head(values.mean((2, 3)).mean(0))
    (gradients,) = torch.autograd.grad(scores[1], values)
    weights = gradients[2].mean((1, 2))[:, None, None] if method == "grad_cam" else gradients[2].relu()
    heat = (weights * values[2]).sum(0).relu()
    maps = asked(model, x, method, of_class=1)["inside", method]
    assert maps.frame == "layer", "a window doesn't lie over the whole picture"
    np.testing.assert_allclose(maps.data[0], heat.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize(("method", "parameters"), [("saliency", {}), ("smooth_grad", {"count": 1, "noise": 0.0})])
def test_saliency_comes_from_the_window(model, x, method, parameters):
    maps = asked(model, x, method, of="mean", **parameters)["inside", method]
    leaf = x.clone().requires_grad_()
    for channel, found in enumerate(maps.data):
        (gradient,) = torch.autograd.grad(windows(model, leaf)[2, channel].mean(), leaf)
        np.testing.assert_allclose(found, gradient[0].abs().amax(0).numpy(), atol=1e-6)
        assert not found[:6].any() and not found[:, 10:].any() and found[8:, :8].any(), "the window and its edge"


def test_contribution_sums_over_all_windows_and_shows_one(model, x):
    maps = asked(model, x, "contribution", of_class=1)["inside", "contribution"]
    values = windows(model, x)
    shares = model.head.weight[1][None, :, None, None] * values / values[0, 0].numel() / 4
    np.testing.assert_allclose(maps.extras["values"], shares.sum((0, 2, 3)).detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(maps.data, shares[2].detach().numpy(), atol=1e-6)


def test_health_counts_in_the_window(model, x, tmp_path):
    from PIL import Image

    random = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8)).save(tmp_path / f"{number}.png")
    maps = asked(model, x, "health", data=tmp_path, mean=[0.5] * 3, std=[0.25] * 3)["inside", "health"]
    pictures = [np.asarray(Image.open(tmp_path / f"{number}.png")) / 255 for number in range(3)]
    inputs = [torch.from_numpy((picture - 0.5) / 0.25).permute(2, 0, 1)[None].float() for picture in pictures]
    active = np.mean([(windows(model, values)[2] > 0).numpy() for values in inputs], axis=0)
    np.testing.assert_allclose(maps.data, active, atol=1e-6)
    assert maps.place == "window 2 of 4"


def test_a_window_that_is_not_there_is_refused(model, x):
    with pytest.raises(InputError, match="no window 4 of layer 'inside': it has 4, counted from 0"):
        asked(model, x, "grad_cam", {"inside": 4})
    with pytest.raises(InputError, match="no position 1 of layer 'stem': it has one value for each input"):
        asked(model, x, "grad_cam", {"stem": 1})
    with pytest.raises(UnknownName, match="no layer 'insid'; did you mean inside"):
        asked(model, x, "grad_cam", {"insid": 1})
