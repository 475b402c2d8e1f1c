"""Contributions: exact values at a linear end, and independent references everywhere else."""

from collections.abc import Callable

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from innerwalk.tests.support.method_runs import Pictures, make_context, method_steps, run_method  # noqa: E402
from innerwalk.torch_bridge import concepts, record  # noqa: E402
from innerwalk.torch_bridge.capture.ablation import Ablation, use_ablation  # noqa: E402
from innerwalk.torch_bridge.method_support import ablation_scores  # noqa: E402
from innerwalk.torch_bridge.method_support.score_paths import SCORE, direct_sources  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import PartialForward  # noqa: E402
from innerwalk.torch_bridge.recording import Maps  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError, UnknownName  # noqa: E402

HOW = ("gradient", "weights", "ablation")


class Linear(nn.Module):
    """Convolutions, ReLU, means, a linear layer; channel 2 of the last maps is dead."""

    def __init__(self, end: Callable[[torch.Tensor], torch.Tensor] = F.relu) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.c, self.end = nn.Conv2d(3, 5, 3), nn.Conv2d(5, 6, 3), nn.Linear(6, 4), end
        with torch.no_grad():
            self.b.weight[2], self.b.bias[2] = 0.0, 0.0

    def forward(self, x):
        return self.c(self.end(self.b(F.relu(self.a(x)))).mean((2, 3)))


PICTURE = torch.randn(1, 3, 12, 12, generator=torch.Generator().manual_seed(3))


def values(maps: Maps) -> np.ndarray:
    return maps.extras["values"]


def links(maps: Maps, layer: str) -> dict[tuple[int, int], float]:
    return {(int(row[0]), int(row[1])): float(row[2]) for row in maps.extras.get(f"weights:{layer}", ())}


def hooked(network: nn.Module, module: nn.Module, channel: int, fill: float, picture=PICTURE, axis: int = 1):
    """The reference: scores (1, classes) with a channel filled."""

    def change(module, args, output):
        output = output.clone()
        output.select(axis, channel).fill_(fill)
        return output

    handle = module.register_forward_hook(change)
    try:
        with torch.no_grad():
            return network(picture)
    finally:
        handle.remove()


# A linear end


@pytest.mark.parametrize("how", HOW)
def test_weights_times_means_at_a_linear_end(how):
    network = Linear()
    context = make_context(network, PICTURE, ["b", "c"] if how != "weights" else ["b"])
    maps = run_method(context, "contribution", of_class=1, how=how)["b"]
    with torch.no_grad():
        pooled = F.relu(network.b(F.relu(network.a(PICTURE))))[0]
        wanted, score = network.c.weight[1] * pooled.mean((1, 2)), network(PICTURE)[0, 1] - network.c.bias[1]
    assert np.allclose(values(maps), wanted, atol=1e-5)
    assert values(maps).sum() == pytest.approx(float(score), abs=1e-5)
    assert values(maps)[2] == 0 and not maps.data[2].any() and maps.labels[2] == "+0"
    assert maps.labels[0] == f"{float(wanted[0]):+.3g}" and maps.shape == (6, 8, 8) and maps.frame == "layer"
    area = maps.data.mean((1, 2)) if how == "weights" else maps.data.sum((1, 2))
    assert np.allclose(area, wanted, atol=1e-5)
    if how == "weights":
        assert np.allclose(maps.data, (network.c.weight[1][:, None, None] * pooled).detach(), atol=1e-6)
        assert links(maps, "output") == {(k, 1): pytest.approx(float(wanted[k]), abs=1e-5) for k in (0, 1, 3, 4, 5)}


@pytest.mark.parametrize("end", [F.relu6, F.silu, F.gelu, torch.clone])
def test_the_activation_before_the_means_belongs_to_the_weights(end):
    network = Linear(end)
    maps = run_method(make_context(network, PICTURE, ["b"]), "contribution", of_class=0, how="weights")["b"]
    with torch.no_grad():
        pooled = end(network.b(F.relu(network.a(PICTURE))))[0].mean((1, 2))
    assert np.allclose(values(maps), network.c.weight[0].detach() * pooled, atol=1e-5)


class Joined(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 5, 3), nn.Linear(9, 3)

    def forward(self, x):
        return self.c(torch.cat([F.relu(self.b(x)), F.relu(self.a(x))], 1).mean((2, 3)))


def test_maps_that_are_joined_before_their_means():
    network = Joined()
    found = run_method(make_context(network, PICTURE, ["a", "b"]), "contribution", of_class=2, how="weights")
    with torch.no_grad():
        for id, first, conv in (("b", 0, network.b), ("a", 5, network.a)):
            means = F.relu(conv(PICTURE))[0].mean((1, 2))
            assert np.allclose(values(found[id]), network.c.weight[2, first:][: len(means)] * means, atol=1e-6)
        score = float(network(PICTURE)[0, 2] - network.c.bias[2])
    assert sum(values(maps).sum() for maps in found.values()) == pytest.approx(score, abs=1e-5)


# Everywhere else


@pytest.fixture(scope="module")
def shipped():
    return concepts.load("object")[0]


@pytest.fixture(scope="module")
def picture():
    pixels = torch.from_numpy(concepts.picture(task="object"))
    return pixels.permute(2, 0, 1)[None].float() / 127.5 - 1


def panels(network, picture) -> list[str]:
    return [layer.shows for layer in record(network, picture, layers=()).network.layers if layer.role == "panel"]


def test_gradient_x_activation_of_every_panel(shipped, picture):
    layers = panels(shipped, picture)
    found = run_method(make_context(shipped, picture, layers), "contribution", top=0)
    reached = PartialForward(shipped, layers, (picture,))((picture.clone().requires_grad_(),), to_output=True)
    score = reached.output[0].max()
    gradients = reached.gradients(score)
    assert set(found) == set(layers)
    for id, maps in found.items():
        wanted = (reached.maps[id] * gradients[id])[0].detach()
        assert np.allclose(maps.data, wanted, atol=1e-5), id
        assert np.allclose(values(maps), wanted.sum((1, 2)), atol=1e-4), id
        assert not any(name.startswith("weights:") for name in maps.extras)
    last = reached.output[0].argmax().item()
    assert (
        values(found["fc"])[last] == pytest.approx(score.item(), abs=1e-4)
        and np.count_nonzero(values(found["fc"])) == 1
    )
    assert values(found["stage3.1:add"]).sum() == pytest.approx(score.item() - shipped.fc.bias[last].item(), abs=1e-4)


def test_captum_agrees(shipped, picture):
    attr = pytest.importorskip("captum.attr", reason="captum is not here")
    found = run_method(make_context(shipped, picture, ["stem.norm", "stage2.0.norm1"]), "contribution", of_class=3)
    for id, module in (("stem.norm", shipped.stem.norm), ("stage2.0.norm1", shipped.stage2[0].norm1)):
        wanted = attr.LayerGradientXActivation(shipped, module).attribute(picture.clone(), target=3)[0].detach()
        assert np.allclose(found[id].data, wanted, atol=1e-5)


@pytest.mark.parametrize("how", ["gradient", "ablation"])
def test_a_channels_value_does_not_depend_on_the_selection(shipped, picture, how):
    layers = ["stage3.1.norm1", "stage3.1:add"]
    whole = run_method(make_context(shipped, picture, layers), "contribution", how=how, top=0)
    found = run_method(make_context(shipped, picture, layers, channels=(5, 40)), "contribution", how=how, top=3)
    for id in layers:
        assert np.allclose(values(found[id]), values(whole[id])[[5, 40]], atol=2e-5)
        assert found[id].channel_numbers == (5, 40) and found[id].shape == (2, *whole[id].shape[1:])
        links = [rows[:, 0] for name, rows in found[id].extras.items() if name.startswith("weights:")]
        assert links and set(np.concatenate(links).tolist()) <= {5, 40}


def test_ablation_of_single_channels(shipped, picture):
    with torch.no_grad():
        before = shipped(picture)[0, 2]
    found = run_method(
        make_context(shipped, picture, ["stage2.1.norm1"], channels=(0, 7, 30)),
        "contribution",
        of_class=2,
        how="ablation",
    )["stage2.1.norm1"]
    for channel in (0, 7, 30):
        wanted = before - hooked(shipped, shipped.stage2[1].norm1, channel, 0.0, picture)[0, 2]
        assert values(found)[found.index(channel)] == pytest.approx(float(wanted), abs=2e-5)
        assert found.data[found.index(channel)].sum() == pytest.approx(float(wanted), abs=2e-5)


def test_ablation_to_the_mean_over_the_data():
    network, pictures = Linear(), np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3)).astype(np.uint8)
    seen = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        means = network.a(seen).mean((0, 2, 3))
        before = network(seen[:1])[0, 0]
    context = make_context(network, seen[:1], ["a"], data=Pictures(pictures))
    found = values(run_method(context, "contribution", of_class=0, how="ablation", fill="mean")["a"])
    for channel in range(5):
        wanted = before - hooked(network, network.a, channel, float(means[channel]), seen[:1])[0, 0]
        assert found[channel] == pytest.approx(float(wanted), abs=1e-4)
    with pytest.raises(InputError, match="the mean of a channel needs a data set; choose one, or fill with zero"):
        run_method(make_context(network, seen[:1], ["a"]), "contribution", how="ablation", fill="mean")


class Tokens(nn.Module):
    """A class token before 4 x 4 others; the answer is the class token's."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.patches, self.token = nn.Conv2d(3, 8, 3, 3), nn.Parameter(torch.randn(1, 1, 8))
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.layer(torch.cat([self.token.expand(len(x), -1, -1), x], 1))[:, 0])


def test_a_channel_of_tokens_is_ablated_in_the_class_token_too():
    network = Tokens().eval()
    found = values(
        run_method(make_context(network, PICTURE, ["layer.linear1"]), "contribution", of_class=1, how="ablation")[
            "layer.linear1"
        ]
    )
    with torch.no_grad():
        before = network(PICTURE)[0, 1]
    wanted = [before - hooked(network, network.layer.linear1, k, 0.0, axis=2)[0, 1] for k in range(16)]
    assert np.allclose(found, wanted, atol=1e-5) and np.abs(found).max() > 1e-3
    gradient = run_method(make_context(network, PICTURE, ["layer.linear1"]), "contribution", of_class=1)[
        "layer.linear1"
    ]
    kept: list = []
    handle = network.layer.linear1.register_forward_hook(lambda module, args, output: kept.append(output))
    score = network(PICTURE)[0, 1]
    handle.remove()
    (slope,) = torch.autograd.grad(score, kept[0])
    assert np.allclose(values(gradient), (slope * kept[0])[0].sum(0).detach(), atol=1e-6)
    assert not gradient.data.any(), "the last layer's other tokens give nothing"


# Ways


class Branched(nn.Module):
    """Two ways from a to the answer, one of them over b."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.a, self.b, self.c, self.d = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 1), nn.Conv2d(6, 6, 1), nn.Linear(6, 3)

    def forward(self, x):
        a = F.relu(self.a(x))
        b = torch.tanh(self.b(a))
        return self.d(F.silu(self.c(b) + b * a).mean((2, 3)))


ALL = ["a", "b", "c", ":mul", ":add", "d"]


def test_what_links_carry_is_what_their_channel_gives():
    context = make_context(Branched(), PICTURE, ALL)
    assert direct_sources(context.network, ALL) == {
        "a": [],
        "b": ["a"],
        "c": ["b"],
        ":mul": ["a", "b"],
        ":add": ["c", ":mul"],
        "d": [":add"],
        SCORE: ["d"],
    }
    found = run_method(context, "contribution", of_class=1, top=64)
    for id in ALL[:-1]:
        sums = np.zeros(6)
        for name, rows in found[id].extras.items():
            if name.startswith("weights:"):
                np.add.at(sums, rows[:, 0].astype(int), rows[:, 2])
        assert np.allclose(sums, values(found[id]), atol=1e-5), id
        assert np.abs(sums).max() > 1e-4
    assert set(found["a"].extras) == {"values", "weights:b", "weights::mul"}


def test_a_link_is_one_channels_way_to_another():
    """The sum is channel by channel, and c is linear in b: its links are weights."""
    network = Branched()
    found = run_method(make_context(network, PICTURE, ALL), "contribution", of_class=1, top=64)
    assert all(link == other for link, other in links(found["c"], ":add"))
    with torch.no_grad():
        a = F.relu(network.a(PICTURE))
        b = torch.tanh(network.b(a))
        c = network.c(b)
        slope = torch.func.grad(lambda c: network.d(F.silu(c + b * a).mean((2, 3)))[0, 1])(c)
        wanted = {
            (j, k): float((network.c.weight[k, j] * b_before(network, a, j) * slope[0, k]).sum())
            for j in range(6)
            for k in range(6)
        }
    assert links(found["b"], "c") == {pair: pytest.approx(value, abs=1e-5) for pair, value in wanted.items()}


def b_before(network, a, channel):
    """What is linear in b's own values: tanh's slope times these."""
    own = network.b(a)[0, channel]
    return (1 - torch.tanh(own) ** 2) * own


def test_only_the_strongest_are_linked(shipped, picture):
    found = run_method(make_context(shipped, picture, ["stage2.1:add", "stage3.0:add", "fc"]), "contribution", top=3)
    first, second = found["stage2.1:add"], found["stage3.0:add"]
    rows = first.extras["weights:stage3.0:add"]
    tops = [set(np.argsort(-np.abs(values(maps)))[:3]) for maps in (first, second)]
    assert len(rows) == 9 and set(rows[:, 0].astype(int)) == tops[0] and set(rows[:, 1].astype(int)) == tops[1]
    assert set(second.extras["weights:fc"][:, 1].astype(int)) == {int(np.argmax(values(found["fc"])))}


# Bad input


class Detached(Linear):
    def forward(self, x):
        return super().forward(x).detach()


def test_a_network_without_gradient():
    for how, found in (
        (
            "gradient",
            "the network's answer has no gradient: it detaches, rounds or converts its values; how=ablation needs none",
        ),
    ):
        with pytest.raises(ModelError, match=found):
            run_method(make_context(Detached(), PICTURE, ["b"]), "contribution", how=how)
    for how in ("weights", "ablation"):
        first, other = (
            run_method(make_context(kind(), PICTURE, ["b"]), "contribution", how=how)["b"]
            for kind in (Detached, Linear)
        )
        assert np.array_equal(values(first), values(other)) and "weights:output" not in first.extras


class Flat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3), nn.Linear(4 * 100, 3)

    def forward(self, x):
        return self.b(F.relu(self.a(x)).flatten(1))


class Means(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 3, 1)

    def forward(self, x):
        return self.b(F.relu(self.a(x))).mean((2, 3))


@pytest.mark.parametrize(
    ("network", "layers", "parameters", "kind", "message"),
    [
        (
            Flat,
            ["a"],
            {"how": "weights"},
            InputError,
            "Flat doesn't end with means of maps and a linear layer; how=gradient",
        ),
        (Means, ["a"], {"how": "weights"}, InputError, "the means of b are the scores; how=gradient divides them"),
        (Linear, ["a"], {"how": "weights"}, InputError, "the weights are those of b; request that layer"),
        (Linear, ["b"], {"of_class": 4}, UnknownName, "no class '4'"),
        (lambda: nn.Sequential(nn.Conv2d(3, 4, 3)), ["0"], {}, InputError, "class scores .N, classes. are needed"),
        (lambda: nn.Sequential(Linear(), Odd()), ["0.b"], {}, ModelError, "score nan: it can't be divided"),
        (Linear, ["none"], {}, ModelError, "layer 'none' wasn't reached"),
    ],
)
def test_impossible_requests_are_errors(network, layers, parameters, kind, message):
    with pytest.raises(kind, match=message) as raised:
        run_method(make_context(network(), PICTURE, layers), "contribution", **parameters)
    assert "\n" not in str(raised.value)


class Odd(nn.Module):
    def forward(self, x):
        return x * float("nan")


def test_too_little_memory_halves_the_copies(monkeypatch):
    sizes, real = [], ablation_scores._score_losses

    def short(context, paths, id, channels, fill):
        sizes.append(len(channels))
        if len(channels) > 2:
            raise torch.OutOfMemoryError("no memory")
        return real(context, paths, id, channels, fill)

    wanted = values(run_method(make_context(Linear(), PICTURE, ["b"]), "contribution", how="ablation")["b"])
    monkeypatch.setattr(ablation_scores, "_score_losses", short)
    found = values(run_method(make_context(Linear(), PICTURE, ["b"]), "contribution", how="ablation")["b"])
    assert np.allclose(found, wanted, atol=1e-6) and max(sizes) > 2 and sizes[-1] <= 2
    monkeypatch.setattr(ablation_scores, "_score_losses", lambda *_: (_ for _ in ()).throw(ModelError("never")))
    with pytest.raises(ModelError, match="never"):
        run_method(make_context(Linear(), PICTURE, ["b"]), "contribution", how="ablation")


class One(Linear):
    """Takes one input at a time."""

    def forward(self, x):
        assert len(x) == 1
        return super().forward(x)


def test_a_network_that_takes_one_input_at_a_time():
    single, other = (
        run_method(make_context(kind(), PICTURE, ["b"]), "contribution", how="ablation")["b"] for kind in (One, Linear)
    )
    assert np.allclose(values(single), values(other), atol=1e-6)


def test_contributions_respect_the_current_ablation():
    network = Linear()
    context = make_context(network, PICTURE, ["a", "b"])
    whole = run_method(context, "contribution", of_class=1)
    with use_ablation(Ablation.resolve(context.network, {"a": [1, 3]})):
        found = run_method(context, "contribution", of_class=1)
    assert not values(found["a"])[[1, 3]].any() and whole["a"].data[1].any()
    with torch.no_grad():
        network.b.weight[:, [1, 3]] = 0.0
    wanted = run_method(context, "contribution", of_class=1)
    assert np.allclose(values(found["b"]), values(wanted["b"]), atol=1e-6)


# What it says is so


def test_without_its_top_channels_the_true_class_loses_most(shipped):
    """Known by the labels of the pictures; compared with as many channels of the same layer at random."""
    rng, lost = np.random.default_rng(0), []
    for index in range(6):
        sample = concepts.sample(0, 2, index, task="object")
        picture = torch.from_numpy(sample.image).permute(2, 0, 1)[None].float() / 127.5 - 1
        found = run_method(
            make_context(shipped, picture, ["stage3.1:add"]), "contribution", of_class=sample.label, how="weights"
        )
        tops, drawn = np.argsort(-values(found["stage3.1:add"]))[:8], rng.choice(72, 8, replace=False)
        before, *after = (scores(shipped, picture, channels) for channels in ((), tops, drawn))
        falls = [before - score for score in after]
        assert falls[0].argmax() == sample.label
        lost.append([fall[sample.label] for fall in falls])
    own, other = np.mean(lost, 0)
    assert own > 3 * other, "of 100 pictures 5.5 and 1.0"


def scores(network, picture, channels) -> np.ndarray:
    kept: list = []
    cut = {"stage3.1:add": list(map(int, channels))}
    record(network, picture, layers=(), ablate=cut, answer=lambda output: kept.append(output[0].numpy().copy()))
    return kept[0]


def test_status_messages_and_shares(shipped, picture):
    found = method_steps(make_context(shipped, picture, panels(shipped, picture)), "contribution")
    shares = [step.share for step in found]
    assert shares == sorted(shares) and shares[-1] == 1 and "score" in found[-1].message
    order = [maps.layer for step in found for maps in step.maps]
    assert order == panels(shipped, picture)[::-1]


def test_links_to_the_score_go_to_its_own_output():
    """The scores are the second of three outputs, by their name."""

    class Several(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 4)

        def forward(self, picture):
            hidden = self.a(picture).relu()
            return {"features": hidden, "logits": self.head(hidden.mean((2, 3))), "mean": hidden.mean()}

    torch.manual_seed(0)
    found = run_method(make_context(Several().eval(), PICTURE, ["a"]), "contribution")["a"]
    assert {name for name in found.extras if name.startswith("weights:")} == {"weights:output@2"}
