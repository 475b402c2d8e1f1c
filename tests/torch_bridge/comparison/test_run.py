"""Whole comparisons of networks whose differences are known: frozen layers, no change, permuted units, wrong files."""

import csv
import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from PIL import Image
from torch import nn

from innerwalk.torch_bridge.comparison.network_summary import converged_at
from innerwalk.torch_bridge.comparison.report import write_comparison
from innerwalk.torch_bridge.comparison.run import ComparisonSettings, NetworkComparer, NetworkState
from innerwalk.torch_bridge.data import open_data
from innerwalk.torch_bridge.dissection.run import DissectionSettings
from innerwalk.torch_bridge.recording import ignore_progress, load
from innerwalk.torch_bridge.recording.errors import InputError, ModelError
from innerwalk.torch_bridge.server.in_process import denormals_restored
from innerwalk.torch_bridge.subject import RecordSpec

SIDE, PICTURES, CHANNELS = 16, 12, 6
ABOUT = {"title": "test", "data set name": "squares", "probe": PICTURES}


class Small(nn.Module):
    def __init__(self, channels: int = CHANNELS, width: int = 8):
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, channels, 3, padding=1), nn.BatchNorm2d(channels)
        self.second, self.head = nn.Conv2d(channels, width, 3, 2, 1), nn.Linear(width, 2)

    def forward(self, picture):
        return self.head(self.second(self.norm(self.first(picture)).relu()).relu().mean((2, 3)))


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    """Pictures with masks of a red square on noise."""
    folder = tmp_path_factory.mktemp("squares")
    for name in ("images", "masks/shape"):
        (folder / name).mkdir(parents=True)
    (folder / "concepts.csv").write_text("number,name,category\n1,<red>,shape\n")
    generator = np.random.default_rng(0)
    for k in range(PICTURES):
        picture, mask = generator.integers(0, 60, (SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
        y, x = generator.integers(0, SIDE - 4, 2)
        picture[y : y + 4, x : x + 4], mask[y : y + 4, x : x + 4] = (255, 0, 0), 1
        Image.fromarray(picture).save(folder / "images" / f"{k:02d}.png")
        Image.fromarray(mask).save(folder / "masks" / "shape" / f"{k:02d}.png")
    return folder


@pytest.fixture
def compare(tmp_path, data_folder):
    """Compares states of `Small`: {label: state dict or path}, as checkpoints or networks."""

    def run(states, checkpoints=False, data=data_folder, arguments=None, unnumbered=(), **settings):
        paths = {}
        for label, state in states.items():
            paths[label] = state if isinstance(state, str) else str(tmp_path / f"{label}.pt")
            if not isinstance(state, str):
                torch.save(state, paths[label])
        fields = {"inputs": (f"noise:0:3x{SIDE}x{SIDE}",), "size": (SIDE, SIDE), "mean": (0.5,) * 3, "std": (0.5,) * 3}
        specs = {
            label: RecordSpec(f"{__name__}:Small", (arguments or {}).get(label, {}), weights=path, **fields)
            for label, path in paths.items()
        }
        named = [NetworkState(label, spec, label not in unnumbered) for label, spec in specs.items()]
        chosen = ComparisonSettings(DissectionSettings(quantile=0.05), **{"probe": PICTURES} | settings)
        names = lambda texts: {text: text.replace(":", "_") for text in texts}  # noqa: E731
        comparer = NetworkComparer(open_data(str(data)), chosen, tmp_path / "out", torch.device("cpu"), names)
        with denormals_restored():
            return (comparer.compare_checkpoints if checkpoints else comparer.compare_networks)(named, ignore_progress)

    return run


def state(seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return Small().state_dict()


def trained(start: dict[str, torch.Tensor], names: tuple[str, ...], amount: float) -> dict[str, torch.Tensor]:
    """The state with noise on the weights of these modules."""
    generator = torch.Generator().manual_seed(int(amount * 1000))
    moved = {name: value.clone() for name, value in start.items()}
    for name, value in moved.items():
        if name.partition(".")[0] in names and value.is_floating_point() and "running" not in name:
            value += amount * torch.randn(value.shape, generator=generator)
    return moved


def rows(comparison, layer):
    return [{row["layer"]: row for row in network.layers}[layer] for network in comparison.networks]


def test_frozen_layers_converge_at_once_and_trained_ones_later(compare):
    start = state(0)
    states = {"epoch 0": start}
    states |= {f"epoch {k}": trained(start, ("second", "head"), 0.3 * k) for k in (1, 2)}
    states |= {"epoch 3": {name: value + 1e-7 * value for name, value in states["epoch 2"].items()}}
    found = compare(states, checkpoints=True)
    assert [network.label for network in found.networks] == list(states) and found.reference == "epoch 3"
    converged = converged_at(found.networks)
    assert converged["norm"] == "epoch 0" and converged["second"] == "epoch 2", converged
    assert [row["cka"] for row in rows(found, "norm")] == pytest.approx([1] * 4, abs=1e-5)
    assert rows(found, "norm")[-1]["cka"] == rows(found, "norm")[-1]["weights"] == 1
    assert rows(found, "second")[0]["cka"] < 0.95 and rows(found, "second")[0]["weights"] < 0.9
    drifts = {
        layer: max(r["activation drift"] for r in found.pairs[0].units if r["layer"] == layer)
        for layer in ("norm", "second")
    }
    assert drifts["norm"] < 1e-6 < 0.01 < drifts["second"]


def test_training_without_a_learning_rate_changes_nothing(compare):
    found = compare({"before": state(1), "after": state(1)})
    [pair] = found.pairs
    assert {row["activation drift"] for row in pair.units} == {0.0}
    assert {row["weight drift"] for row in pair.units} == {0.0}
    assert {row["change"] for row in pair.units} <= {"kept", ""} and np.allclose(np.diag(pair.similarity), 1)
    assert all(row["cka"] == row["activations"] == row["weights"] == 1 for row in found.networks[1].layers)


def test_only_the_head_trained_leaves_the_layers_below_it(compare):
    start = state(2)
    [pair] = compare({"before": start, "after": trained(start, ("head",), 1.0)}).pairs
    moved = {row["layer"] for row in pair.units if row["activation drift"] or row["weight drift"]}
    assert moved == {"head"}


def test_a_permuted_network_is_matched_back_exactly(compare):
    start = state(3)
    order, later = torch.randperm(CHANNELS), torch.randperm(8)
    turned = {name: value.clone() for name, value in start.items()}
    for name, value in start.items():
        if name.startswith(("first.", "norm.")) and value.dim():
            turned[name] = value[order]
    turned["second.weight"], turned["second.bias"] = (
        start["second.weight"][later][:, order],
        start["second.bias"][later],
    )
    turned["head.weight"] = start["head.weight"][:, later]
    found = compare({"own": start, "turned": turned})
    [pair] = found.pairs
    for layer, moved in (("norm", order), ("second", later), ("head", torch.arange(2))):
        partners = [row["most alike"] for row in pair.units if row["layer"] == layer]
        assert partners == [f"{layer} {k}" for k in torch.argsort(moved).tolist()]
    assert min(row["correlation"] for row in pair.units) == pytest.approx(1, abs=1e-5)
    assert [row["cka"] for row in found.networks[1].layers] == pytest.approx([1] * 3, abs=1e-4)
    assert rows(found, "norm")[1]["activations"] < 0.99


def test_dead_units_are_counted_and_a_planted_detector_is_gained(compare, tmp_path):
    start = state(4)
    start["first.weight"].zero_(), start["first.bias"].fill_(-1.0)
    taught = {name: value.clone() for name, value in start.items()}
    taught["first.weight"][2, 0, 1, 1], taught["first.weight"][2, 1, 1, 1] = 1, -1
    found = compare({"epoch 0": start, "epoch 1": taught}, checkpoints=True, bar=0.5)
    assert [row["dead units"] for row in rows(found, "norm")] == [CHANNELS, CHANNELS - 1]
    assert [row["detectors"] for row in rows(found, "norm")] == [0, 1]
    assert [row["unit"] for row in found.pairs[0].units if row["change"] == "gained" and row["layer"] == "norm"] == [2]
    assert {
        network.label: [row["concept"] for row in network.concepts if row["layer"] == "norm"]
        for network in found.networks
    } == {
        "epoch 0": [],
        "epoch 1": ["<red>"],
    }
    summary = write_comparison(tmp_path / "out", ABOUT, found, training=True)
    assert summary["converged"]["norm"] == "epoch 1" and summary["pairs"][0]["changes"]["gained"] >= 1
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<script>") == 1 and "default-src 'none'" in page and "<red>" not in page
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary
    with (tmp_path / "out" / "units.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == CHANNELS + 8 + 2 and table[2]["concept after"] == "<red>" and table[0]["concept after"] == ""
    assert (tmp_path / "out" / "epoch 1" / "report.html").is_file()
    assert_hall_shows(load(tmp_path / "out" / "hall"), found)


def assert_hall_shows(hall, found):
    """The hall of the reference carries the numbers of the report on its boards, and what its units detect."""
    [charts] = {maps.charts for maps in hall.all_maps.values()}
    convergence, matrix, detectors = charts
    assert (convergence.kind, matrix.kind, detectors.kind) == ("lines", "matrix", "bars")
    assert convergence.rows == detectors.rows == ("epoch 0", "epoch 1") and convergence.series == matrix.series
    alike = {row["layer"]: row["cka"] or 0.0 for row in found.networks[0].layers}
    assert convergence.values[0] == pytest.approx([alike[layer] for layer in convergence.series], rel=1e-4)
    assert np.array(matrix.values) == pytest.approx(np.nan_to_num(found.pairs[0].similarity), rel=1e-4)
    assert detectors.series == ("shape",) and detectors.values == ((0.0,), (1.0,))
    norm = hall.maps("norm")
    assert norm.labels[2].startswith("+ <red> ") and not any(norm.labels[:2] + norm.labels[3:])
    assert norm.extras["category"].tolist() == [0, 0, 1, 0, 0, 0]


def test_a_file_without_an_epoch_is_compared_but_no_reference(compare):
    states = {f"epoch {k}": state(k) for k in (0, 1)} | {"best": state(2)}
    found = compare(states, checkpoints=True, unnumbered=("best",))
    assert found.reference == "epoch 1" and [network.label for network in found.networks] == list(states)
    assert found.remark == "the reference is epoch 1, as best names no epoch or step"
    assert [network.label for network in found.run] == ["epoch 0", "epoch 1"]
    assert found.hall.maps("norm").charts[0].rows == ("epoch 0", "epoch 1")
    alone = compare({"a": state(0), "best": state(2)}, checkpoints=True, unnumbered=("a", "best"))
    assert alone.reference == "best" and not alone.remark


def test_networks_of_different_shapes_are_compared_as_far_as_they_go(compare):
    wide = Small(width=5).state_dict()
    with pytest.raises(ModelError, match="don't fit Small"):
        compare({"a": state(0), "b": wide})
    found = compare({"a": state(0), "b": wide}, arguments={"b": {"width": 5}})
    row = rows(found, "second")[1]
    assert 0 < row["cka"] < 1 and row["units"] == 5 and row["activations"] is None and row["weights"] is None
    units = [unit for unit in found.pairs[0].units if unit["layer"] == "second"]
    assert len(units) == 8 and sum(unit["most alike"] is None for unit in units) == 3
    matrix, *detectors = found.hall.maps("norm").charts
    assert matrix.rows == matrix.series == ("norm", "second", "head") and matrix.title == "CKA of a and b"
    assert [chart.title for chart in detectors] == ["unique detectors of a", "unique detectors of b"]
    assert {unit["activation drift"] for unit in units} == {None} and found.pairs[0].similarity.shape == (3, 3)


def test_pictures_without_labels_give_all_but_concepts(compare, data_folder, tmp_path):
    found = compare({"a": state(0), "b": state(1)}, data=data_folder / "images")
    assert found.networks[1].concepts == [] and found.networks[1].layers[0]["detectors"] is None
    assert 0 < found.networks[1].layers[0]["cka"] < 1
    assert write_comparison(tmp_path / "out", ABOUT, found, training=False)["pairs"][0]["changes"] == {}
    hall = load(tmp_path / "out" / "hall").maps("norm")
    assert [chart.kind for chart in hall.charts] == ["matrix"] and not any(hall.labels)


def test_checkpoints_that_cannot_be_loaded_are_left_out_and_named(compare, tmp_path):
    (tmp_path / "broken.pt").write_bytes(b"PK not a checkpoint")
    states = {"a": state(0), "wide": Small(width=5).state_dict(), "b": state(1), "broken": str(tmp_path / "broken.pt")}
    found = compare(states, checkpoints=True)
    assert [network.label for network in found.networks] == ["a", "b"] and found.reference == "b"
    assert [line.partition(": ")[0] for line in found.left_out] == ["wide", "broken"]
    assert "don't fit Small" in found.left_out[0] and "not a checkpoint" in found.left_out[1]
    with pytest.raises(InputError, match="1 of 2 checkpoints can be compared, at least 2 are needed; wide: weights"):
        compare({"a": states["a"], "wide": states["wide"]}, checkpoints=True)


@pytest.mark.parametrize(("settings", "message"), [({"probe": 1}, "1 pictures to compare by: at least 2")])
def test_wrong_settings_are_one_line(compare, settings, message):
    with pytest.raises(InputError, match=message):
        compare({"a": state(0), "b": state(1)}, **settings)


@pytest.mark.parametrize("diverged", [0, 2])
def test_checkpoints_of_a_run_that_has_diverged_are_left_out_and_named(compare, tmp_path, diverged):
    states = {f"epoch {k}": state(k) for k in range(3)}
    states[f"epoch {diverged}"] = {name: value * np.nan for name, value in state(diverged).items()}
    found = compare(states, checkpoints=True)
    assert len(found.networks) == 2 and found.reference == ("epoch 2" if diverged == 0 else "epoch 1")
    said = f"weights epoch {diverged}.pt: layer norm gives NaN or infinite values, which can't be compared"
    assert found.left_out == [f"epoch {diverged}: {said}"]
    with pytest.raises(ModelError, match=said):
        compare(states)


def test_too_many_numbers_are_refused_with_what_would_fit(compare, monkeypatch):
    from innerwalk.torch_bridge.comparison import features

    monkeypatch.setattr(features, "MAX_VALUES", 16 * (CHANNELS + 8 + 2) * 5)
    with pytest.raises(InputError, match="12 pictures: --probe 5 is the most for so many layers"):
        compare({"a": state(0), "b": state(1)})


@pytest.mark.parametrize(
    ("concept", "change", "label"),
    [
        ("ring", ("ring", "kept", "ring"), "ring .14"),
        ("ring", ("", "gained", "ring"), "+ ring .14"),
        ("ring", ("blue", "changed", "ring"), "blue → ring"),
        ("", ("ring", "lost", ""), "ring → none"),
        ("ring", ("ring", "lost", ""), "ring → none"),
        ("ring", None, "ring .14"),
        ("", None, ""),
    ],
)
def test_labels_say_what_has_become_of_a_unit(concept, change, label):
    from types import SimpleNamespace

    from innerwalk.torch_bridge.comparison.comparison_charts import _label

    reference = SimpleNamespace(detected=lambda layer, unit: (concept, 0.14 if concept else 0.0))
    row = change and dict(zip(("concept before", "change", "concept after"), change, strict=True))
    assert _label(reference, "a", 0, row) == label


def test_charts_of_many_layers_show_some_spread_evenly():
    from innerwalk.torch_bridge.comparison.comparison_charts import SHOWN, comparison_charts
    from innerwalk.torch_bridge.comparison.network_summary import NetworkSummary
    from innerwalk.torch_bridge.comparison.unit_changes import NetworkPair
    from innerwalk.torch_bridge.recording.charts import spread_places

    layers = [f"l{k}" for k in range(22)]
    concepts = [{"layer": layer, "category": "shape", "concept": "x", "units": 1} for layer in layers]
    rows = [{"layer": layer, "cka": 1.0} for layer in layers]
    network = NetworkSummary("n", 1, rows, concepts)
    pair = NetworkPair("n", "m", layers, layers, np.eye(22), [])
    matrix, first, second = comparison_charts([network] * 2, pair, "n", ("shape",), training=False)
    assert len(matrix.rows) == SHOWN and (matrix.rows[0], matrix.rows[-1]) == ("l0", "l21")
    assert np.array_equal(np.array(matrix.values), np.eye(SHOWN)) and matrix.row_axis == "8 of 22 layers of n"
    assert first.kind == "lines" and first == second and set(first.values) == {(1.0,)}
    assert spread_places(3, 8) == [0, 1, 2] and spread_places(1, 8) == [0]
