"""Saliency, guided backprop, deconvnet and Grad-CAM against plain torch, an explicit deconvnet, and captum."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from itertools import count  # noqa: E402
from unittest import mock  # noqa: E402

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge.method_support import input_attribution, input_gradients, run_limits  # noqa: E402
from innerwalk.torch_bridge.method_support.input_gradients import GradientTarget, compute_input_gradients  # noqa: E402
from innerwalk.torch_bridge.probing.relu_rules import relu_rule  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError, UnknownName  # noqa: E402


def picture(side=12, seed=0, channels=3):
    return torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(seed))


class Reused(nn.Module):
    """One ReLU called three times, modules in place, a functional one, sums, a concatenation, both poolings, a norm."""

    def __init__(self, functional=False, inplace=False):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.relu = F.relu if functional else nn.ReLU(inplace)
        self.pool, self.mean = nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(2)
        self.c, self.fc = nn.Conv2d(16, 8, 3, padding=1), nn.Linear(8, 5)

    def forward(self, x):
        y = self.pool(self.relu(self.a(x)))
        z = self.relu(self.norm(self.b(y)) + y)
        z = self.c(torch.cat([z, y], 1))
        return self.fc(self.mean(self.relu(z)).mean((2, 3)))


def net(**how):
    torch.manual_seed(5)
    model = Reused(**how).eval()
    model.norm.running_mean.normal_(0, 0.2)
    model.norm.running_var.uniform_(0.5, 2)
    return model


def signals(model, x, layer, of="maximum", rule="gradient", channels=(), of_class=-1):
    """(channels, C, H, W), as the methods get them."""
    found = [
        gradients
        for gradients in compute_input_gradients(
            method_runs.make_context(model, x, [layer], channels), layer, GradientTarget(of, of_class, rule)
        )
        if gradients
    ]
    return torch.cat([gradients.signals for gradients in found]), [
        value for gradients in found for value in gradients.values
    ]


class Kept:
    """The value of a module, by a plain hook, safe from what changes it in place."""

    def __init__(self, module):
        self.module = module

    def __enter__(self):
        self.handle = self.module.register_forward_hook(self.keep)
        return self

    def keep(self, module, args, output):
        self.value = output
        return output * 1

    def __exit__(self, *error):
        self.handle.remove()


@pytest.mark.parametrize("of", ["maximum", "mean"])
@pytest.mark.parametrize("layer", ["a", "b", "c"])
def test_saliency_is_the_gradient_of_each_channel(of, layer):
    model, x = net(inplace=True), picture().requires_grad_()
    maps = method_runs.run_method(method_runs.make_context(model, x.detach(), [layer]), "saliency", of=of)[layer]
    with Kept(model.get_submodule(layer)) as kept:
        model(x)
    values = kept.value[0]
    for k in range(8):
        number = values[k].max() if of == "maximum" else values[k].mean()
        (wanted,) = torch.autograd.grad(number, x, retain_graph=True)
        assert np.allclose(maps.data[k], wanted[0].abs().amax(0).numpy(), atol=1e-6)
        assert maps.extras["values"][k] == pytest.approx(number.item(), abs=1e-5)
    assert maps.frame == "input" and maps.data.max() > 1e-3


def test_a_channel_does_not_depend_on_which_others_are_asked_about():
    model, x = net(), picture()
    whole = method_runs.run_method(method_runs.make_context(model, x, ["c"]), "saliency")["c"].data
    some = method_runs.run_method(method_runs.make_context(model, x, ["c"], [6, 2]), "saliency")["c"]
    assert some.channel_numbers == (6, 2) and np.allclose(some.data, whole[[6, 2]], atol=1e-7) and whole[[2, 6]].any()


def test_one_layer_is_the_weights():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 1))
    found, _ = signals(model, picture(4), "0", "mean")
    wanted = model[0].weight.detach().expand(4, 3, 4, 4) / 16
    assert torch.allclose(found, wanted, atol=1e-7)


# The explicit deconvnet, after Zeiler and Fergus: a hand-made network whose switches are known


class Hand(nn.Module):
    """Convolution, ReLU, max pooling (windows may overlap), convolution with stride, ReLU, convolution."""

    def __init__(self, window, norm=False):
        super().__init__()
        self.c1, self.c2, self.c3 = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 7, 3, 2, 1), nn.Conv2d(7, 5, 2)
        self.norm = nn.BatchNorm2d(6) if norm else nn.Identity()
        self.window = window

    def forward(self, x):
        y = F.max_pool2d(F.relu(self.norm(self.c1(x))), *self.window)
        return self.c3(F.relu(self.c2(y)))


def explicit(model, x, channel, whole=False):
    """(1, 3, H, W): the projection of one channel of c3, with transposed convolutions and unpooling by switches."""
    with torch.no_grad():
        before = F.relu(model.norm(model.c1(x)))
        pooled, switches = F.max_pool2d(before, *model.window, return_indices=True)
        inner = model.c2(pooled)
        top = model.c3(F.relu(inner))
        kept = torch.zeros_like(top)
        place = top[0, channel].argmax()
        kept[0, channel].view(-1)[place] = top[0, channel].view(-1)[place]
        if whole:
            kept[0, channel] = top[0, channel]
        signal = F.conv_transpose2d(kept.clamp(min=0), model.c3.weight)
        rows, columns = (
            size - ((small - 1) * 2 - 2 + 3) for size, small in zip(pooled.shape[2:], inner.shape[2:], strict=True)
        )
        signal = F.conv_transpose2d(signal.clamp(min=0), model.c2.weight, None, 2, 1, (rows, columns))
        unpooled = torch.zeros_like(before).flatten(2)
        unpooled.scatter_add_(2, switches.flatten(2), signal.flatten(2))
        signal = unpooled.reshape(before.shape).clamp(min=0)
        if isinstance(model.norm, nn.BatchNorm2d):
            scale = model.norm.weight / (model.norm.running_var + model.norm.eps).sqrt()
            signal = signal * scale[:, None, None]
        return F.conv_transpose2d(signal, model.c1.weight)


@pytest.mark.parametrize("window", [(2, 2), (3, 2)])
@pytest.mark.parametrize("norm", [False, True])
def test_deconvnet_equals_an_explicit_deconvnet(window, norm):
    torch.manual_seed(1)
    model, x = Hand(window, norm).eval(), picture(22)
    if norm:
        model.norm.running_var.uniform_(0.3, 3)
        nn.init.uniform_(model.norm.weight, 0.3, 2)
    for of in ("maximum", "map"):
        found, _ = signals(model, x, "c3", of, "deconvnet")
        wanted = torch.cat([explicit(model, x, k, of == "map") for k in range(5)])
        assert torch.allclose(found, wanted, atol=1e-6 * float(wanted.abs().max()))
        assert sum(bool(signal.any()) for signal in wanted) >= 3
    assert not torch.allclose(found, signals(model, x, "c3", "maximum", "deconvnet")[0])


def test_unpooling_returns_values_to_the_maximum():
    model = Hand((2, 2)).eval()
    with torch.no_grad():
        for conv in (model.c1, model.c2, model.c3):
            conv.weight.zero_()
            conv.bias.zero_()
        model.c1.weight[0, 0, 1, 1] = model.c2.weight[0, 0, 1, 1] = model.c3.weight[0, 0, 1, 1] = 1
    x = torch.zeros(1, 3, 10, 10)
    x[0, 0, 5, 6], x[0, 0, 6, 5] = 2.0, 1.5  # of windows that c2 looks at
    found, values = signals(model, x, "c3", "maximum", "deconvnet", [0])
    (place,) = found[0].nonzero().tolist()
    assert place == [0, 5, 6] and found[0][tuple(place)] == 2 and values == [2.0]


def test_a_channel_without_activation_projects_nothing():
    model = Hand((2, 2)).eval()
    with torch.no_grad():
        model.c3.bias.fill_(-100)
    maps = method_runs.run_method(method_runs.make_context(model, picture(), ["c3"]), "deconvnet")["c3"]
    assert np.all(maps.data == 0.5) and np.all(maps.texels[..., 3] == 1) and maps.extras["values"].max() < 0


def test_functional_reused_and_in_place_relus_give_the_same():
    x = picture()
    for rule in ("deconvnet", "guided"):
        plain = signals(net(), x, "fc", rule=rule)[0]
        for how in ({"functional": True}, {"inplace": True}):
            assert torch.equal(signals(net(**how), x, "fc", rule=rule)[0], plain)
        assert not torch.allclose(plain, signals(net(), x, "fc")[0], atol=1e-3)


@pytest.mark.parametrize("layer", [":add", ":cat", ":relu"])
def test_relu_rules_apply_to_operations_between_modules(layer):
    """The recorder seals torch's own modules against being watched; the rule must see the ReLUs in them."""

    class Mixed(Reused):
        def forward(self, x):
            y = self.pool(self.relu(self.a(x)))
            z = nn.functional.relu(self.norm(self.b(y)) + y)
            return self.c(torch.cat([z, y], 1))

    torch.manual_seed(2)
    model, x = Mixed().eval(), picture()
    found, _ = signals(model, x, layer, "mean", "guided")
    leaf = x.clone().requires_grad_()
    with relu_rule("guided", model):
        y = F.max_pool2d(F.relu(model.a(leaf)), 3, 2, 1)
        add = model.norm(model.b(y)) + y
        z = F.relu(add)
        values = {":add": add, ":relu": z, ":cat": torch.cat([z, y], 1)}[layer][0]
        for k in range(len(values)):
            (wanted,) = torch.autograd.grad(values[k].mean(), leaf, retain_graph=True)
            assert torch.allclose(found[k], wanted[0], atol=1e-7)


def test_of_class_gives_the_part_of_the_score_that_comes_through_a_channel():
    model, x = net(), picture()
    leaf = x.clone().requires_grad_()
    scores = model(leaf)
    best = int(scores.argmax())
    (wanted,) = torch.autograd.grad(scores[0, best], leaf)
    found, values = signals(model, x, "a", "class")
    assert torch.allclose(found.sum(0), wanted[0], atol=1e-6)
    at_the_end, _ = signals(model, x, "fc", "class", of_class=3)
    assert [bool(tile.any()) for tile in at_the_end] == [False, False, False, True, False]
    with Kept(model.c) as kept:
        scores = model(leaf)
        (gradient,) = torch.autograd.grad(scores[0, best], kept.value)
    shares = (gradient * kept.value).sum((0, 2, 3))
    assert np.allclose(signals(model, x, "c", "class")[1], shares.tolist(), atol=1e-5)


def test_of_class_goes_no_way_back_for_the_other_classes():
    """Of the layer of classes only the class itself has a part in its score."""
    model, x, backward = net(), picture(), "innerwalk.torch_bridge.method_support.input_gradients.gradients"
    wanted = signals(model, x, "fc")[0][2]
    with (
        mock.patch(backward, wraps=input_gradients.gradients) as counted,
        mock.patch.object(input_gradients, "copies_per_run", return_value=1),
    ):
        found, _ = signals(model, x, "fc", "class", of_class=2)
    assert counted.call_count == 1
    assert np.allclose(found[2], wanted, atol=1e-6) and not np.delete(found, 2, 0).any()


def test_labels_and_status_messages():
    context = method_runs.make_context(net(), picture(), ["fc"], class_names=("a", "b", "c", "d", "e"))
    steps = method_runs.method_steps(context, "guided_backprop", of="class", of_class=3)
    assert steps[-1].message == "fc: 5 of 5 channels (3 ReLUs by the rule) for d"
    assert steps[-1].maps[0].labels == ("a", "b", "c", "d", "e") and steps[-1].share == 1
    assert [step.share for step in steps] == sorted(step.share for step in steps)


def test_colours_are_signed_and_grey_is_zero():
    signal = np.zeros((3, 10, 10), np.float32)
    signal[:, 2:5, 3:7] = np.linspace(-4, 4, 36).reshape(3, 3, 4)
    shown = input_attribution.signed_colours(signal)
    assert np.all(shown[6:] == 0.5) and shown[2, 3, 0] == 0 and shown[4, 6, 2] == 1
    assert np.all(np.sign(shown - 0.5) == np.sign(signal.transpose(1, 2, 0)))
    grey = input_attribution.signed_colours(signal[:1])
    assert grey.shape == (10, 10, 3) and np.all(grey[..., 0] == grey[..., 2])
    assert np.all(input_attribution.signed_colours(np.zeros((3, 2, 2), np.float32)) == 0.5)


def test_a_box_holds_what_a_channel_sees():
    model = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1)).eval()
    x = picture(20)
    maps = method_runs.run_method(method_runs.make_context(model, x, ["2"]), "guided_backprop")["2"]
    for channel, x0, y0, x1, y1, score in maps.extras["boxes"]:
        values = model(x)[0, int(channel)]
        row, column = divmod(int(values.argmax()), 20)
        assert -0.1 <= column - x0 * 20 <= 2.1 and -0.1 <= row - y0 * 20 <= 2.1  # five pixels around the place
        assert 0.9 <= x1 * 20 - column <= 3.1 and 0.9 <= y1 * 20 - row <= 3.1
        assert score == pytest.approx(values.max().item(), abs=1e-5)
    assert len(maps.extras["boxes"]) == 2


def test_what_a_channel_sees_is_enlarged_beside_the_picture():
    model, x = nn.Sequential(nn.Conv2d(3, 2, 3)).eval(), torch.full((1, 3, 9, 9), 0.5)
    x[0, :, 4, 4] = -1
    maps = method_runs.run_method(method_runs.make_context(model, x, ["0"]), "deconvnet", cropped=True)["0"]
    assert maps.frame == "layer" and maps.shape[1:] == (112, 226) and maps.extras["samples"].tolist() == [1, 2]
    right = maps.data[:, :, 114:]
    assert np.allclose(np.unique(right.round(2)).max(), 0.75, atol=0.01)  # 0.5 in the network's numbers


# Grad-CAM


def test_grad_cam_is_cam_where_means_and_a_linear_layer_end_the_network():
    model, names = concepts.load("object")
    x = torch.from_numpy(concepts.picture(3)).permute(2, 0, 1)[None].float() / 127.5 - 1
    layers = ["stage3.1.relu2", "fc"]
    heat = method_runs.run_method(
        method_runs.make_context(model, x, layers[:1], class_names=names), "grad_cam", smooth=False
    )[layers[0]]
    cam = method_runs.run_method(method_runs.make_context(model, x, layers, class_names=names), "cam")["fc"]
    best = int(cam.extras["values"].argmax())
    assert heat.labels == (names[best],) and heat.channels == 1
    wanted = np.maximum(cam.data[best], 0) / cam.data[best].size
    assert np.abs(heat.data[0] - wanted).max() <= 1e-6 and wanted.max() > 1e-3


@pytest.mark.parametrize("layer", ["a", "c"])
def test_grad_cam_of_any_layer_and_class_by_hand(layer):
    model, x = net(inplace=True), picture()

    def by_hand(of_class, channels):
        with Kept(model.get_submodule(layer)) as kept:
            (gradient,) = torch.autograd.grad(model(x.clone().requires_grad_())[0, of_class], kept.value)
        parts = gradient.mean((2, 3), keepdim=True) * kept.value
        return parts[:, channels].sum(1).relu()[0].detach().numpy()

    seen = 0.0
    for of_class in range(5):
        maps = method_runs.run_method(
            method_runs.make_context(model, x, [layer, "fc"]), "grad_cam", of_class=of_class, smooth=False
        )
        wanted = by_hand(of_class, list(range(8)))
        assert list(maps) == [layer] and np.allclose(maps[layer].data[0], wanted, atol=1e-6)
        some = method_runs.run_method(
            method_runs.make_context(model, x, [layer], [1, 4]), "grad_cam", of_class=of_class, smooth=False
        )[layer]
        assert np.allclose(some.data[0], by_hand(of_class, [1, 4]), atol=1e-6)
        seen = max(seen, wanted.max())
    assert seen > 1e-3
    smooth = method_runs.run_method(method_runs.make_context(model, x, [layer]), "grad_cam")[layer]
    assert smooth.shape == (1, 12, 12) and smooth.frame == "input"


# Networks that end with a softmax, and tokens


@pytest.mark.parametrize(
    ("method", "layer", "parameters"),
    [
        ("grad_cam", "b", {}), ("saliency", "c", {"of": "class"}), ("deconvnet", "b", {"of": "class"}),
        ("occlusion", "fc", {"of": "class", "size": 0.5}), ("contribution", "a", {"how": "ablation"}),
        ("contribution", "c", {"how": "gradient"}), ("layer_cam", "b", {}), ("smooth_grad", "fc", {"count": 2}),
        ("integrated_gradients", "fc", {"steps": 2}), ("gradient_x_input", "fc", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", [nn.Softmax(1), nn.LogSoftmax(1), nn.Sigmoid()])
def test_scores_are_explained_before_a_softmax(method, layer, parameters, end):
    x, best = picture(), int(net()(picture()).argmax())
    plain, ended = (
        method_runs.run_method(
            method_runs.make_context(nn.Sequential(net(), *last), x, [f"0.{layer}"]),
            method,
            of_class=best,
            **parameters,
        )[f"0.{layer}"]
        for last in ((), (end,))
    )
    assert np.allclose(ended.data, plain.data, atol=1e-6 * np.abs(plain.data).max()) and plain.data.any()
    if method == "grad_cam":
        probability = nn.Sequential(net(), end if isinstance(end, nn.Sigmoid) else nn.Softmax(1))(x)[0, best].item()
        assert ended.extras["values"][0] == pytest.approx(probability, abs=1e-6)


class Transformer(nn.Module):
    """Two blocks over 4 x 3 patches; the class is read from a class token, or from the mean of all tokens."""

    def __init__(self, token=True, in_order=True):
        super().__init__()
        torch.manual_seed(3)
        self.patches, self.token, self.in_order = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.randn(1, 1, 8)), in_order
        self.first, self.second = (nn.TransformerEncoderLayer(8, 2, 16, 0, "gelu", batch_first=True) for _ in range(2))
        self.head, self.has_token = nn.Linear(8, 5), token

    def forward(self, x):
        x = self.patches(x) if self.in_order else x.reshape(len(x), 8, -1)
        x = x.flatten(2).transpose(1, 2)
        if self.has_token:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
        x = self.second(self.first(x))
        return self.head(x[:, 0] if self.has_token else x.mean(1))


def heat_by_hand(model, x, of_class, skipped, method):
    """(tokens,) Grad-CAM or Layer-CAM of the first block's output, from plain torch."""
    with Kept(model.first) as kept:
        (gradient,) = torch.autograd.grad(model(x.clone().requires_grad_())[0, of_class], kept.value)
    gradient, values = gradient[0, skipped:], kept.value[0, skipped:]
    weights = gradient.mean(0) if method == "grad_cam" else gradient.relu()
    return (values * weights).sum(1).relu().detach().numpy()


FIRST, SECOND = "first.norm2", "second.norm2"


@pytest.mark.parametrize("method", ["grad_cam", "layer_cam"])
def test_heat_of_tokens_lies_on_their_grid(method):
    model, x = Transformer().eval(), torch.randn(1, 3, 16, 12)
    seen = 0.0
    for of_class in range(5):
        context = method_runs.make_context(model, x, [FIRST])
        maps = method_runs.run_method(context, method, of_class=of_class, smooth=False)[FIRST]
        wanted = heat_by_hand(model, x, of_class, 1, method).reshape(4, 3)
        assert maps.shape == (1, 4, 3) and np.allclose(maps.data[0], wanted, atol=1e-6) and maps.frame == "input"
        seen = max(seen, wanted.max())
    assert seen > 1e-3


@pytest.mark.parametrize("method", ["grad_cam", "layer_cam"])
def test_heat_of_a_plain_sequence_is_a_row(method):
    model, x = Transformer(token=False, in_order=False).eval(), torch.randn(1, 3, 16, 12)
    for of_class in range(5):
        maps = method_runs.run_method(method_runs.make_context(model, x, [FIRST]), method, of_class=of_class)[FIRST]
        assert maps.shape == (1, 1, 72) and maps.frame == "layer"
        assert np.allclose(maps.data[0, 0], heat_by_hand(model, x, of_class, 0, method), atol=1e-6)


# Notes


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("grad_cam", {}), ("layer_cam", {}), ("saliency", {"of": "class"}), ("guided_backprop", {"of": "class"}),
        ("contribution", {}),
        ("deconvnet", {"of": "class", "cropped": True}),
    ],
)  # fmt: skip
def test_maps_that_the_score_does_not_depend_on_say_so(method, parameters):
    context = method_runs.make_context(Transformer().eval(), torch.randn(1, 3, 16, 12), [FIRST, SECOND])
    found = method_runs.run_method(context, method, of_class=3, **parameters)
    wanted = "zero everywhere: the score of class 3 depends on none of these values; 1 special token, left out, may "
    assert found[SECOND].note == f"{wanted}carry it"
    said = found[FIRST].note.partition(";")[0] or found[FIRST].labels[0]
    assert said in ("score of class 3", "class 3")


def test_maps_without_anything_for_the_class_say_so():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    with torch.no_grad():
        model[4].weight.copy_(torch.tensor([[-1.0], [0.0], [1.0]]).expand(3, 4))
    for method in ("grad_cam", "localisation"):
        context = method_runs.make_context(model, picture(), ["1" if method == "grad_cam" else "4"])
        notes = [next(iter(method_runs.run_method(context, method, of_class=k).values())).note for k in range(3)]
        independent = "depends on none of these values" if method == "grad_cam" else "no position speaks for class 1"
        assert notes[0] == "zero everywhere: no position speaks for class 0"
        assert independent in notes[1] and notes[2] == ""


@pytest.mark.parametrize("method", ["guided_backprop", "deconvnet"])
def test_rules_that_change_nothing_are_noted(method):
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
    context = method_runs.make_context(plain, picture(), ["0", "2", "4"])
    notes = {id: maps.note for id, maps in method_runs.run_method(context, method).items()}
    nothing = "plain gradient: no ReLU on the way"
    assert notes == {"0": nothing, "2": f"{nothing}; own gradient of gelu", "4": "own gradient of gelu"}
    assert method_runs.run_method(context, "saliency")["4"].note == ""


def test_a_deconvnet_of_silent_channels_says_so():
    model = Hand((2, 2)).eval()
    with torch.no_grad():
        model.c3.bias.fill_(-100)
    for cropped in (False, True):
        context = method_runs.make_context(model, picture(), ["c3"])
        note = method_runs.run_method(context, "deconvnet", cropped=cropped)["c3"].note
        assert note == "zero everywhere: nothing comes back to the input from these channels"


# What can go wrong


class Cut(nn.Module):
    """Its numbers have no gradient."""

    def __init__(self, how):
        super().__init__()
        self.a, self.b, self.how = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), how

    def forward(self, x):
        return self.b(self.how(self.a(x))).mean((2, 3))


@pytest.mark.parametrize("method", ["saliency", "guided_backprop", "deconvnet"])
@pytest.mark.parametrize("how", [torch.Tensor.detach, lambda y: torch.from_numpy(y.detach().numpy().copy())])
def test_a_network_without_gradients_gives_a_one_line_error(method, how):
    with pytest.raises(
        ModelError, match="b has no gradient to the picture: the network detaches.*occlusion needs none"
    ):
        method_runs.run_method(method_runs.make_context(Cut(how), picture(), ["b"]), method)
    assert method_runs.run_method(method_runs.make_context(Cut(how), picture(), ["a"]), method)["a"].data.any()


def test_grad_cam_without_gradients():
    class Ended(Cut):
        def forward(self, x):
            with torch.no_grad():
                return super().forward(x)

    with pytest.raises(ModelError, match="has no gradient to the picture"):
        method_runs.run_method(method_runs.make_context(Ended(torch.relu), picture(), ["a"]), "grad_cam")


@pytest.mark.parametrize("method", ["saliency", "guided_backprop", "deconvnet", "grad_cam", "occlusion", "cam"])
def test_wrong_layers_and_classes(method):
    model = net()
    model.idle = nn.Conv2d(3, 3, 1)
    context = method_runs.make_context(model, picture(), ["idle"])
    with pytest.raises((ModelError, UnknownName, InputError), match="idle|the layer of the classes, fc"):
        method_runs.run_method(context, method)
    if method != "cam":
        of = {} if method == "grad_cam" else {"of": "class"}
        with pytest.raises(UnknownName, match="no class '7'; there are -1 to 4"):
            method_runs.run_method(method_runs.make_context(model, picture(), ["c", "fc"]), method, of_class=7, **of)


def test_a_network_without_classes():
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    for method, more in [("saliency", {"of": "class"}), ("grad_cam", {}), ("occlusion", {"of": "class"}), ("cam", {})]:
        with pytest.raises(InputError, match="output has shape"):
            method_runs.run_method(method_runs.make_context(model, picture(), ["0"]), method, **more)


def test_grad_cam_needs_places():
    with pytest.raises(InputError, match="fc: channels that are single numbers have no positions to show"):
        method_runs.run_method(method_runs.make_context(net(), picture(), ["fc"]), "grad_cam")


def test_inputs_that_are_no_pictures_are_refused():
    model = nn.Sequential(nn.Linear(6, 3))
    with pytest.raises(InputError, match="this network's first input is not one"):
        method_runs.run_method(method_runs.make_context(model, torch.ones(1, 6), ["0"]), "saliency")


def test_a_channel_with_nan_stays_empty():
    context = method_runs.make_context(nn.Sequential(nn.Conv2d(3, 2, 1)), picture(4), ["0"])
    layer = input_attribution.AttributedLayer(context, "0", "guided_backprop", "colours")
    layer.add(0, np.ones((3, 4, 4), np.float32), 1.0)
    layer.add(1, np.full((3, 4, 4), np.nan, np.float32), 1.0)
    (maps,) = layer.maps()
    assert maps.texels[0, ..., 3].all() and not maps.texels[1].any()


def test_nan_in_every_channel_is_an_error():
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Conv2d(3, 2, 1))
    with torch.no_grad():
        model[2].weight[1] = torch.nan
    with pytest.raises(ModelError, match="2: the gradients are not finite"):
        method_runs.run_method(method_runs.make_context(model, picture(4), ["2"]), "guided_backprop")
    assert method_runs.run_method(
        method_runs.make_context(model, picture(4), ["2", "0"]), "guided_backprop"
    ).keys() == {"0"}


def test_fewer_channels_run_at_once_when_memory_runs_out():
    class Full(Reused):
        def forward(self, x):
            if len(x) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().forward(x)

    torch.manual_seed(5)
    full, x = Full().eval(), picture()
    full.load_state_dict(net().state_dict())
    assert torch.allclose(signals(full, x, "c")[0], signals(net(), x, "c")[0], atol=1e-6)
    whole = method_runs.run_method(method_runs.make_context(net(), x, ["c"]), "occlusion")["c"].data
    assert np.allclose(
        method_runs.run_method(method_runs.make_context(full, x, ["c"]), "occlusion")["c"].data, whole, atol=1e-6
    )


def test_memory_too_small_for_one_channel_is_an_error():
    class Full(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Conv2d(3, 4, 1)
            self.ran = count(1)

        def forward(self, x):
            if next(self.ran) > 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return self.a(x)

    with pytest.raises(ModelError, match="out of memory"):
        method_runs.run_method(method_runs.make_context(Full(), picture(), ["a"]), "saliency")


def test_steps_are_small_and_the_model_is_left_alone():
    model = net(inplace=True).train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with mock.patch.dict(run_limits.MAX_COPIES, cpu=2):
        steps = method_runs.method_steps(method_runs.make_context(model, picture(), ["c"]), "deconvnet")
    assert [step.message for step in steps if "channels" in step.message][:2] == [
        "c: 2 of 8 channels (2 ReLUs by the rule)",
        "c: 4 of 8 channels (2 ReLUs by the rule)",
    ]
    assert model.training and all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())


# captum, where it is installed


@pytest.fixture
def captum():
    return pytest.importorskip("captum.attr", reason="captum isn't installed; the plain references have run")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("inplace", [False, True])
def test_captum_agrees_where_it_is_right(captum, inplace):
    model, x = net(inplace=inplace), picture()
    for maker, rule in [
        (captum.Saliency, "gradient"),
        (captum.GuidedBackprop, "guided"),
        (captum.Deconvolution, "deconvnet"),
    ]:
        leaf = x.clone().requires_grad_()
        more = {"abs": False} if rule == "gradient" else {}
        wanted = maker(model).attribute(leaf, target=3, **more)[0].detach()
        found = signals(model, x, "fc", "class", rule, of_class=3)[0][3]
        assert float((found - wanted).abs().max()) <= 1e-6 * float(wanted.abs().max())


@pytest.mark.filterwarnings("ignore")
def test_captum_falls_back_to_the_gradient_where_relus_are_functions(captum):
    model, x = net(functional=True), picture()
    fallen = captum.GuidedBackprop(model).attribute(x.clone().requires_grad_(), target=3)[0].detach()
    assert torch.allclose(fallen, signals(model, x, "fc", "class", of_class=3)[0][3], atol=1e-6)
    found = signals(model, x, "fc", "class", "guided", of_class=3)[0][3]
    wanted = captum.GuidedBackprop(net()).attribute(x.clone().requires_grad_(), target=3)[0].detach()
    assert torch.allclose(found, wanted, atol=1e-7) and not torch.allclose(found, fallen, atol=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_captum_agrees_on_grad_cam(captum):
    model, x = net(), picture()
    wanted = captum.LayerGradCam(model, model.c).attribute(x, target=2, relu_attributions=True)[0, 0].detach()
    maps = method_runs.run_method(method_runs.make_context(model, x, ["c"]), "grad_cam", of_class=2, smooth=False)
    assert np.allclose(maps["c"].data[0], wanted.numpy(), atol=1e-6)
