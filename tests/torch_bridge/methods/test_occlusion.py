"""Occlusion against sums by hand and captum: positions, contents of patches, targets, and steps."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from unittest import mock  # noqa: E402

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.method_support import run_limits  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402


class Linear(nn.Module):
    """Scores are sums of the picture by weights."""

    def __init__(self, height=10, width=14, classes=3):
        super().__init__()
        self.fc = nn.Linear(3 * height * width, classes)

    def forward(self, x):
        return self.fc(x.flatten(1))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, 2), nn.Linear(5, 3)

    def forward(self, x):
        return self.fc(self.b(self.a(x).relu()).mean((2, 3)))


def picture(height=10, width=14, seed=0):
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def by_hand(read, x, hidden, patch, stride):
    """(numbers, H, W): pixel by pixel the mean fall over all patches that hide it."""
    before = read(x)
    height, width = x.shape[2:]
    total, count = np.zeros((len(before), height, width)), np.zeros((height, width))
    for y in [k * stride[0] for k in range(math.ceil((height - patch[0]) / stride[0]) + 1)]:
        for left in [k * stride[1] for k in range(math.ceil((width - patch[1]) / stride[1]) + 1)]:
            there = (slice(y, y + patch[0]), slice(left, left + patch[1]))
            copy = x.clone()
            copy[0, :, there[0], there[1]] = hidden[0, :, there[0], there[1]]
            total[:, there[0], there[1]] += (before - read(copy))[:, None, None]
            count[there] += 1
    return total / count


def test_for_a_linear_network_it_is_the_sum_under_the_patch():
    torch.manual_seed(0)
    model, x = Linear(), picture()
    maps = method_runs.run_method(
        method_runs.make_context(model, x, ["fc"]), "occlusion", size=0.2, stride=1.0, fill="value"
    )["fc"]
    parts = (model.fc.weight.reshape(3, 3, 10, 14) * x).sum(1).detach().numpy()
    for y in range(0, 10, 2):
        for left in range(0, 14, 3):
            wanted = parts[:, y : y + 2, left : left + 3].sum((1, 2))
            assert np.allclose(maps.data[:, y : y + 2, left : left + 3], wanted[:, None, None], atol=1e-5)
    assert maps.frame == "input" and np.abs(maps.data).max() > 0.1


@pytest.mark.parametrize("of", ["mean", "maximum"])
@pytest.mark.parametrize("layer", ["a", "b", "fc"])
def test_every_channel_and_overlapping_patches(of, layer):
    torch.manual_seed(1)
    model, x = Small().eval(), picture()

    def read(pictures):
        with torch.no_grad():
            a = model.a(pictures)
            values = {"a": a, "b": model.b(a.relu()), "fc": model(pictures)[..., None, None]}[layer][0].numpy()
        return values.mean((1, 2)) if of == "mean" else values.max((1, 2))

    parameters = {"size": 0.3, "stride": 0.5, "fill": "value", "value": 0.7}
    maps = method_runs.run_method(method_runs.make_context(model, x, [layer]), "occlusion", of=of, **parameters)[layer]
    wanted = by_hand(read, x, torch.full_like(x, 0.7), (3, 4), (2, 2))
    assert np.allclose(maps.data, wanted, atol=1e-5) and np.abs(wanted).max() > 1e-2


def hidden(fill, how=method_runs.CONCEPTS, **more):
    """What is under the patch, seen by a layer that passes the picture on, with one patch that hides all."""
    seen = []

    class Passing(nn.Conv2d):
        def forward(self, x):
            seen.append(x.clone())
            return super().forward(x)

    context = method_runs.make_context(nn.Sequential(Passing(3, 1, 1)), picture(), ["0"], preprocessing=how)
    method_runs.run_method(context, "occlusion", size=1.0, fill=fill, **more)
    return seen[-1]


def test_grey_is_the_mean_of_the_data():
    assert not hidden("grey").any()
    plain = Preprocessing(size=(10, 14), mean=(0.0,), std=(0.5,))
    assert torch.equal(hidden("grey", plain), torch.ones(1, 3, 10, 14))


def test_noise_is_seeded_and_valid():
    first, again, other = hidden("noise"), hidden("noise"), hidden("noise", seed=1)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.min() >= -1 and first.max() <= 1 and first.std() > 0.4


def test_blur_keeps_the_mean_and_little_else():
    x, found = picture(), hidden("blur")
    assert torch.allclose(found.mean((2, 3)), x.mean((2, 3)), atol=0.1)
    assert found.std() < x.std() / 3 and hidden("value", value=0.25).unique().tolist() == [0.25]
    torch.manual_seed(0)
    flat = torch.full((1, 3, 8, 8), 0.3)
    model = nn.Sequential(nn.Conv2d(3, 2, 1))
    maps = method_runs.run_method(method_runs.make_context(model, flat, ["0"]), "occlusion", fill="blur")["0"]
    assert np.abs(maps.data).max() < 1e-6


def test_the_score_of_a_class_is_drawn_on_the_layer_of_the_classes():
    torch.manual_seed(1)
    model, x = Small().eval(), picture()
    best = int(model(x).argmax())
    all_channels = method_runs.run_method(method_runs.make_context(model, x, ["fc"]), "occlusion")["fc"].data
    for of_class, meant in ((-1, best), (2, 2)):
        found = method_runs.run_method(
            method_runs.make_context(model, x, ["a", "fc"]), "occlusion", of="class", of_class=of_class
        )
        assert list(found) == ["fc"] and found["fc"].channel_numbers == (meant,) and all_channels[meant].any()
        assert np.allclose(found["fc"].data[0], all_channels[meant], atol=1e-5)
    with pytest.raises(InputError, match="is drawn on the layer of the classes, fc; ask for that"):
        method_runs.run_method(method_runs.make_context(model, x, ["a"]), "occlusion", of="class")


def test_positions_come_in_batches_and_fill_the_picture():
    model, x = Small().eval(), picture()
    with mock.patch.dict(run_limits.MAX_COPIES, cpu=3):
        steps = method_runs.method_steps(method_runs.make_context(model, x, ["a"]), "occlusion", size=0.25)
    assert (
        steps[0].message == "54 places" and steps[-1].message == "place 54 of 54"
    )  # 2 by 4 pixels, 1 by 2 pixels apart
    shown = [step.maps[0].data for step in steps if step.maps]
    hidden_so_far = [np.abs(tiles).max(0).astype(bool).mean() for tiles in shown]
    assert len(shown) >= 8 and hidden_so_far == sorted(hidden_so_far) and hidden_so_far[-1] == 1
    assert hidden_so_far[0] < 0.4
    at_once = method_runs.run_method(method_runs.make_context(model, x, ["a"]), "occlusion", size=0.25)["a"].data
    assert np.allclose(shown[-1], at_once, atol=1e-6)


def test_many_channels_are_drawn_smaller():
    from innerwalk.torch_bridge.method_support import picture_maps
    from innerwalk.torch_bridge.methods import occlusion

    model, x = Small().eval(), picture(32, 32)
    full = method_runs.run_method(method_runs.make_context(model, x, ["a"]), "occlusion")["a"].data
    with mock.patch.object(picture_maps, "MAX_PIXELS", 64), mock.patch.object(occlusion, "MAX_PIXELS", 64):
        small = method_runs.run_method(method_runs.make_context(model, x, ["a"]), "occlusion")["a"].data
    assert small.shape == (4, 8, 8) and np.allclose(small, full[:, 1::4, 1::4], atol=1e-5)


def test_a_shipped_networks_evidence_lies_in_the_object():
    model, names = concepts.load("object")
    hits = 0
    for index in range(12):
        sample = concepts.sample(0, 1, index, task="object")
        x = torch.from_numpy(sample.image).permute(2, 0, 1)[None].float() / 127.5 - 1
        context = method_runs.make_context(model, x, ["fc"], [sample.label], class_names=names)
        values = method_runs.run_method(context, "occlusion", size=0.25)["fc"].data[0]
        row, column = np.unravel_index(values.argmax(), values.shape)
        box = sample.boxes[0]
        hits += box.x0 <= column < box.x1 and box.y0 <= row < box.y1
    assert hits >= 10


def test_no_gradient_is_needed():
    class Rounded(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 2, 3)

        def forward(self, x):
            return torch.from_numpy(self.a(x.round()).detach().numpy().copy()) * 2

    assert method_runs.run_method(method_runs.make_context(Rounded(), picture() * 9, ["a"]), "occlusion")[
        "a"
    ].data.any()


@pytest.mark.filterwarnings("ignore")
def test_captum_agrees_on_occlusion():
    captum = pytest.importorskip("captum.attr", reason="captum isn't installed; the sums by hand have run")
    torch.manual_seed(1)
    model, x = Small().eval(), picture()
    maps = method_runs.run_method(
        method_runs.make_context(model, x, ["fc"]), "occlusion", size=0.3, fill="value", value=0.2
    )["fc"]
    for target in range(3):
        wanted = captum.Occlusion(model).attribute(x, (3, 3, 4), (3, 2, 2), baselines=0.2, target=target)[0, 0]
        assert np.abs(maps.data[target] - wanted.numpy()).max() <= 1e-6
