"""Integrated gradients, SmoothGrad and gradient × input against closed forms, plain torch and captum."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from unittest import mock  # noqa: E402

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge.attribution import mean_gradients  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.method_support import run_limits  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402

METHODS = ("integrated_gradients", "smooth_grad", "gradient_x_input")
NAMES = ("ant", "bee", "cat")


class Linear(nn.Module):
    """Scores are sums of the picture by weights."""

    def __init__(self, bias=True):
        super().__init__()
        self.fc = nn.Linear(3 * 10 * 14, 3, bias=bias)

    def forward(self, x):
        return self.fc(x.flatten(1))


class Small(nn.Module):
    def __init__(self, detach=False):
        super().__init__()
        self.a, self.b, self.fc, self.detach = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3, 2), nn.Linear(5, 3), detach

    def forward(self, x):
        y = self.a(x).relu()
        return self.fc(self.b(y.detach() if self.detach else y).relu().mean((2, 3)))


def small(**options):
    torch.manual_seed(1)
    return Small(**options).eval()


def picture(seed=0):
    return torch.randn(1, 3, 10, 14, generator=torch.Generator().manual_seed(seed))


def run(model, layer, method, **parameters):
    context = method_runs.make_context(model, picture(), [layer], class_names=NAMES)
    return method_runs.run_method(context, method, **parameters)[layer]


def gradient(read, x):
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad(read(leaf), leaf)[0][0]


def test_closed_forms_of_a_linear_network():
    torch.manual_seed(0)
    model, x = Linear(bias=False), picture()
    weights = model.fc.weight.detach().reshape(3, 3, 10, 14)
    for number in range(3):
        product = (weights[number] * x[0]).sum(0).numpy()
        maps = {method: run(model, "fc", method, of_class=number) for method in METHODS}
        for found in maps.values():
            assert found.channel_numbers == (number,) and found.shape == (1, 10, 14) and found.frame == "input"
        assert np.allclose(maps["gradient_x_input"].data[0], product, atol=1e-5)
        assert np.allclose(maps["integrated_gradients"].data[0], product, atol=1e-5)  # grey is 0 for this data
        assert np.allclose(maps["smooth_grad"].data[0], weights[number].abs().amax(0).numpy(), atol=1e-5)
        assert maps["gradient_x_input"].data.sum() == pytest.approx(model(x)[0, number].item(), abs=1e-4)
        assert maps["integrated_gradients"].labels == (f"{NAMES[number]}, 100% of {model(x)[0, number]:.3g}",)


def test_the_predicted_class_is_that_of_the_picture_not_of_the_baseline():
    torch.manual_seed(0)
    model = Linear()
    with torch.no_grad():
        model.fc.bias.copy_(-3 * model(picture())[0])  # another class wins without the picture
        model.fc.bias[2] += 5 * model(picture())[0].abs().max()
    best = int(model(picture()).argmax())
    for method in METHODS:
        assert run(model, "fc", method).labels[0].startswith(NAMES[best])
        assert run(model, "fc", method).channel_numbers == (best,)


@pytest.mark.parametrize("kind", ["grey", "black", "blur"])
def test_integrated_gradients_add_up_to_the_difference(kind):
    model, x = small(), picture()
    maps = run(model, "fc", "integrated_gradients", of_class=1, steps=500, baseline=kind)
    baseline = {"grey": torch.zeros_like(x), "black": -torch.ones_like(x), "blur": None}[kind]
    if baseline is None:
        label = float(maps.labels[0].rpartition(" ")[2])
        assert maps.data.sum() == pytest.approx(label, rel=0.02) and label
        return
    with torch.no_grad():
        difference = float(model(x)[0, 1] - model(baseline)[0, 1])
    assert maps.data.sum() == pytest.approx(difference, rel=0.01) and not maps.note
    assert maps.labels[0].endswith(f"of {difference:.3g}")


def test_black_is_black_in_any_normalisation():
    model = nn.Sequential(nn.Conv2d(3, 2, 1))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
    how = Preprocessing(size=(10, 14), mean=(0.2, 0.4, 0.6), std=(0.5, 0.25, 0.1))
    context = method_runs.make_context(model, picture(), ["0"], preprocessing=how)
    found = method_runs.run_method(context, "integrated_gradients", of="mean", baseline="black", steps=1)["0"]
    black = torch.tensor([-0.4, -1.6, -6.0]).reshape(3, 1, 1)
    assert np.allclose(found.data[0], ((picture()[0] - black).sum(0) / 140).numpy(), atol=1e-6)


def test_too_few_steps_are_noted():
    class Step(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(420, 3)

        def forward(self, x):
            return self.fc(torch.sigmoid(20 * (x - 0.9) + 20).flatten(1))

    torch.manual_seed(0)
    coarse = run(Step(), "fc", "integrated_gradients", steps=1, of_class=0)
    assert "more steps come closer" in coarse.note and "adds up to" in coarse.note


@pytest.mark.parametrize("of", ["mean", "maximum"])
@pytest.mark.parametrize("layer", ["a", "b"])
def test_channels_of_any_layer(of, layer):
    model, x = small(), picture()

    def read(channel):
        def value(pictures):
            maps = model.a(pictures) if layer == "a" else model.b(model.a(pictures).relu())
            return maps[0, channel].mean() if of == "mean" else maps[0, channel].max()

        return value

    with mock.patch.object(mean_gradients, "MAX_VALUES", x.numel() * 2):  # two channels at a time
        found = {
            "gradient_x_input": run(model, layer, "gradient_x_input", of=of),
            "integrated_gradients": run(model, layer, "integrated_gradients", of=of, steps=7),
        }
    for channel in range(4):
        wanted = (gradient(read(channel), x) * x[0]).sum(0).numpy()
        assert np.allclose(found["gradient_x_input"].data[channel], wanted, atol=1e-6) and wanted.any()
        total = sum(gradient(read(channel), (k + 0.5) / 7 * x) for k in range(7)) / 7
        wanted = (total * x[0]).sum(0).numpy()
        assert np.allclose(found["integrated_gradients"].data[channel], wanted, atol=1e-6)


def test_selected_channels_alone_are_held():
    context = method_runs.make_context(small(), picture(), ["a"], [3, 1])
    some = method_runs.run_method(context, "gradient_x_input", of="mean")["a"]
    every = run(small(), "a", "gradient_x_input", of="mean")
    assert some.channel_numbers == (3, 1) and every.channel_numbers == () and every.channels == 4
    assert np.allclose(some.data, every.data[[3, 1]], atol=1e-7)


def test_smooth_grad_is_the_mean_over_noisy_copies():
    model, x = small(), picture()
    deviation = 0.3 * float(x.max() - x.min())
    total = torch.zeros(3, 10, 14)
    for number in range(9):
        noise = np.random.default_rng((5, number)).standard_normal(x.shape, np.float32)
        total += gradient(lambda leaf: model(leaf)[0, 2], x + deviation * torch.from_numpy(noise)) / 9
    maps = run(model, "fc", "smooth_grad", of_class=2, count=9, noise=0.3, seed=5)
    assert np.allclose(maps.data[0], total.abs().amax(0).numpy(), atol=1e-6) and maps.data.any()
    again, other = (run(model, "fc", "smooth_grad", of_class=2, count=9, noise=0.3, seed=seed) for seed in (5, 6))
    assert np.array_equal(maps.texels, again.texels) and not np.allclose(maps.data, other.data, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_batches_and_memory_change_nothing(method):
    class Full(Small):
        def forward(self, x):
            if len(x) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x)

    full = Full().eval()
    full.load_state_dict(small().state_dict())
    assert np.allclose(run(full, "fc", method).data, run(small(), "fc", method).data, atol=1e-6)
    with mock.patch.dict(run_limits.MAX_COPIES, cpu=3):
        context = method_runs.make_context(small(), picture(), ["fc"], class_names=NAMES)
        steps = method_runs.method_steps(context, method)
    assert [step.share for step in steps] == sorted(step.share for step in steps) and steps[-1].share == 1
    if method != "gradient_x_input":
        assert steps[1].message.startswith("fc: 3 of ")


@pytest.mark.parametrize("method", METHODS)
def test_what_can_go_wrong(method):
    model = small()
    with pytest.raises(InputError, match="is drawn on the layer of the classes, fc; ask for that"):
        run(model, "a", method)
    with pytest.raises(ModelError, match="fc has no gradient to the picture"):
        run(small(detach=True), "fc", method)
    with pytest.raises(InputError, match="this network's first input is not one"):
        method_runs.run_method(
            method_runs.make_context(nn.Sequential(nn.Linear(6, 3)), torch.ones(1, 6), ["0"]), method
        )
    with torch.no_grad():
        model.fc.weight.fill_(torch.nan)
    with pytest.raises(ModelError, match="fc: the gradients are not finite"):
        run(model, "fc", method)


@pytest.mark.parametrize("method", METHODS)
def test_maps_of_zeros_say_why(method):
    model = small()
    with torch.no_grad():
        model.b.bias.fill_(-1000)
    maps = run(model, "fc", method)
    assert not maps.data.any() and maps.note == "zero everywhere: the gradient of what is explained is 0 at every pixel"
    assert not run(small(), "fc", method).note.startswith("zero")


@pytest.mark.filterwarnings("ignore")
def test_captum_agrees():
    captum = pytest.importorskip("captum.attr", reason="captum isn't installed; the plain references have run")
    model, x = small(), picture()
    for target in range(3):
        wanted = captum.IntegratedGradients(model).attribute(
            x, torch.full_like(x, -1.0), target, n_steps=20, method="riemann_middle"
        )
        found = run(model, "fc", "integrated_gradients", of_class=target, baseline="black", steps=20).data[0]
        assert np.abs(found - wanted[0].sum(0).numpy()).max() <= 1e-6 < np.abs(found).max()
        wanted = captum.InputXGradient(model).attribute(x.clone().requires_grad_(), target)
        found = run(model, "fc", "gradient_x_input", of_class=target).data[0]
        assert np.abs(found - wanted[0].sum(0).detach().numpy()).max() <= 1e-6 < np.abs(found).max()
