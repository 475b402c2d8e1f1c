"""Contributions and losses by concept: sums that are exact, ablations equal to a plain loop, folders of dissections."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from innerwalk.tests.support.method_runs import make_context, run_method  # noqa: E402
from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge.capture.ablation import Ablation, use_ablation  # noqa: E402
from innerwalk.torch_bridge.data import open_data  # noqa: E402
from innerwalk.torch_bridge.dissection.concept_losses import ablate_concepts  # noqa: E402
from innerwalk.torch_bridge.dissection.concept_units import (  # noqa: E402
    NO_CONCEPT,
    category_numbers,
    concept_shares,
    share_chart,
    units_by_concept,
)
from innerwalk.torch_bridge.dissection.detector_charts import MOST_BARS, detector_chart  # noqa: E402
from innerwalk.torch_bridge.dissection.findings import ConceptMatch, UnitFinding  # noqa: E402
from innerwalk.torch_bridge.dissection.single_run import read_findings  # noqa: E402
from innerwalk.torch_bridge.dissection.tables import write_table  # noqa: E402
from innerwalk.torch_bridge.models.fingerprint import weights_fingerprint  # noqa: E402
from innerwalk.torch_bridge.recording import CATEGORY  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402

LAYER, UNITS, CLASSES = "b", 6, 3


class Small(nn.Module):
    """Convolutions, ReLU, means and a linear layer."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.c = nn.Conv2d(3, 5, 5, stride=4), nn.Conv2d(5, UNITS, 3), nn.Linear(UNITS, CLASSES)

    def forward(self, x):
        return self.c(F.relu(self.b(F.relu(self.a(x)))).mean((2, 3)))


@pytest.fixture
def context():
    data, model = open_data("concepts:object"), Small().eval()
    return make_context(model, torch.randn(1, 3, 64, 64), [LAYER], class_names=("x", "y", "z"), data=data)


def finding(unit: int, concept: str, category: str = "object", iou: float = 0.5) -> UnitFinding:
    other = "colour" if category == "object" else "object"
    matches = {"object": None, "colour": None}
    matches[category] = ConceptMatch(concept, 100, 100, round(200 * iou / (1 + iou)))
    matches[other] = ConceptMatch("grey", 100, 100, 0)
    return UnitFinding(unit, matches)


RING_RING_RED = [finding(0, "ring"), finding(1, "ring"), finding(2, "red", "colour"), finding(3, "star", iou=0.01)]


def write_folder(folder, findings, layer=LAYER):
    folder.mkdir(exist_ok=True)
    (folder / "units.csv").write_text(write_table(findings))
    (folder / "summary.json").write_text(json.dumps({"layers": [{"layer": layer, "table": "units.csv"}]}))
    return folder


def test_units_are_grouped_by_their_best_concept():
    assert units_by_concept(RING_RING_RED, 0.04) == {"red": (2,), "ring": (0, 1)}
    assert category_numbers(RING_RING_RED, 0.04).tolist() == [1, 1, 2, 0]


def test_shares_of_concepts_are_sums_and_together_all():
    values = np.array([1.0, 2.0, -4.0, 0.5], np.float32)
    shares = concept_shares(RING_RING_RED, values, 0.04)
    assert [(own.concept, own.share, own.units) for own in shares] == [
        ("red", -4.0, (2,)),
        ("ring", 3.0, (0, 1)),
        (NO_CONCEPT, 0.5, (3,)),
    ]
    chart = share_chart("conv", "cat", shares, RING_RING_RED)
    assert (chart.rows, chart.series) == (("red (1)", "ring (2)", "no concept (1)"), ("object", "colour", "none"))
    assert chart.values == ((0.0, -4.0, 0.0), (3.0, 0.0, 0.0), (0.0, 0.0, 0.5)) and chart.series_axis == CATEGORY


def test_the_chart_of_detectors_counts_different_concepts():
    chart = detector_chart({"one": RING_RING_RED, "two": RING_RING_RED[2:]})
    assert (chart.kind, chart.rows, chart.series) == ("bars", ("one", "two"), ("object", "colour"))
    assert chart.values == ((1.0, 1.0), (0.0, 1.0))
    assert detector_chart({str(k): RING_RING_RED for k in range(MOST_BARS + 1)}).kind == "lines"


def test_contributions_by_concept_are_exact_at_a_linear_end(context, tmp_path):
    findings = [finding(k, ("ring", "red")[k % 2], ("object", "colour")[k % 2]) for k in range(UNITS)]
    folder = write_folder(tmp_path / "d", findings)
    maps = run_method(context, "concept_contribution", dissected=str(folder), of_class=1)[LAYER]
    model = context.model
    with torch.no_grad():
        pooled = F.relu(model.b(F.relu(model.a(context.arguments[0])))).mean((2, 3))[0]
        exact = (model.c.weight[1] * pooled).numpy()
        score = float(model(context.arguments[0])[0, 1] - model.c.bias[1])
    assert maps.extras["values"] == pytest.approx(exact, abs=1e-5)
    (chart,) = maps.charts
    shares = {name: sum(row) for name, row in zip(chart.rows, chart.values, strict=True)}
    assert shares == pytest.approx({"ring (3)": exact[::2].sum(), "red (3)": exact[1::2].sum()}, abs=1e-4)
    assert sum(shares.values()) == pytest.approx(score, abs=1e-4)
    assert maps.labels[0] == f"ring {exact[0]:+.2f}" and maps.note.startswith("score of y: ")
    assert maps.extras[CATEGORY].tolist() == [1, 2] * (UNITS // 2)
    assert chart.title == "evidence for y in b"


def test_without_a_folder_the_data_are_dissected(context):
    maps = run_method(context, "concept_contribution", count=8, threshold=0.0)[LAYER]
    assert all(maps.labels) and len(maps.charts) == 1
    chosen = make_context(context.model, context.arguments[0], [LAYER], [4, 2], data=context.data)
    few = run_method(chosen, "concept_contribution", count=8, threshold=0.0)[LAYER]
    assert few.labels == (maps.labels[4], maps.labels[2]) and few.charts[0].values == maps.charts[0].values


def plain_loop(model, groups, data, indices):
    """The reference: one picture, one ablation at a time. Falls (classes, concepts), changes and counts of pictures."""
    falls, changed = np.zeros((CLASSES, len(groups))), np.zeros((CLASSES, len(groups)), int)
    pictures = np.zeros(CLASSES, int)
    for index in indices:
        pixels = np.asarray(data.picture(index), np.float32) / 255
        picture = torch.from_numpy((pixels - 0.5) / 0.5).permute(2, 0, 1)[None]
        with torch.no_grad():
            scores = model(picture)[0]
        best = int(scores.argmax())
        pictures[best] += 1
        for column, units in enumerate(groups.values()):

            def remove(module, args, output, units=units):
                output = output.clone()
                output[:, list(units)] = 0
                return output

            handle = model.b.register_forward_hook(remove)
            with torch.no_grad():
                without = model(picture)[0]
            handle.remove()
            falls[best, column] += float(scores[best] - without[best])
            changed[best, column] += int(without.argmax()) != best
    return falls, changed, pictures


def test_losses_are_those_of_a_plain_loop_of_ablations(context):
    groups, indices = {"ring": (0, 3), "red": (1,), "star": (2, 4, 5)}, list(range(40, 75))
    *_, losses = ablate_concepts(context, LAYER, groups, indices)
    falls, changed, pictures = plain_loop(context.model, groups, context.data, indices)
    assert losses.pictures.tolist() == pictures.tolist() and pictures.sum() == len(indices)
    assert losses.sums == pytest.approx(falls, abs=1e-4) and losses.changed.tolist() == changed.tolist()
    assert losses.mean_losses == pytest.approx(falls / np.maximum(pictures, 1)[:, None], abs=1e-5)
    assert np.abs(falls).max() > 1e-3


def test_channels_that_are_ablated_already_stay_so(context):
    groups, indices = {"red": (1,)}, list(range(6))
    *_, plain = ablate_concepts(context, LAYER, groups, indices)
    with use_ablation(Ablation.resolve(context.network, {LAYER: [0]})):
        *_, both = ablate_concepts(context, LAYER, groups, indices)
        *_, again = ablate_concepts(context, LAYER, {"none": (0,)}, indices)
    assert not np.array_equal(plain.sums, both.sums)
    assert again.sums == pytest.approx(np.zeros((CLASSES, 1)), abs=1e-6)  # it is 0 in both runs


def test_the_method_shows_losses_as_a_matrix(context, tmp_path):
    findings = [finding(k, ("ring", "red", "star")[k % 3]) for k in range(UNITS)]
    folder = write_folder(tmp_path / "d", findings)
    maps = run_method(context, "concept_losses", dissected=str(folder), pictures=20)[LAYER]
    (chart,) = maps.charts
    assert (
        chart.kind == "matrix" and set(chart.series) == {"ring", "red", "star"} and set(chart.rows) <= {"x", "y", "z"}
    )
    assert maps.shape == (UNITS, 1, 1)
    column = chart.series.index("red")
    worst = max(range(len(chart.rows)), key=lambda row: chart.values[row][column])
    assert maps.labels[1].startswith(f"red: {chart.rows[worst]} ")
    assert maps.extras["values"][[1, 4]] == pytest.approx([chart.values[worst][column]] * 2, rel=1e-4)
    changed = run_method(context, "concept_losses", dissected=str(folder), pictures=20, measure="changed")[LAYER]
    values = np.array(changed.charts[0].values)
    assert (values >= 0).all() and (values <= 1).all()


def test_each_class_loses_most_without_its_own_shape():
    """The shipped network tells shapes apart by units that detect them."""
    model, names = concepts.load("object")
    data = open_data("concepts:object")
    context = make_context(model, torch.zeros(1, 3, 64, 64), ["stage3.1:add"], class_names=names, data=data)
    (chart,) = run_method(context, "concept_losses", count=150, pictures=48)["stage3.1:add"].charts
    table = {
        name: dict(zip(chart.series, row, strict=True)) for name, row in zip(chart.rows, chart.values, strict=True)
    }
    own = [name for name in ("circle", "square", "triangle", "star", "cross") if name in table and name in chart.series]
    assert len(own) >= 4
    for name in own:
        assert max(table[name], key=table[name].get) == name and table[name][name] > 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "summary.json").unlink(), "no such file; name a folder that innerwalk dissect"),
        (lambda folder: (folder / "summary.json").write_text("[" * 9), "no summary of innerwalk dissect"),
        (lambda folder: (folder / "summary.json").write_text('{"layers": [3]}'), "no summary of innerwalk dissect"),
        (lambda folder: (folder / "units.csv").unlink(), "no such file"),
        (lambda folder: (folder / "units.csv").write_text("unit\n1\n"), "not a table of units"),
        (lambda folder: write_folder(folder, RING_RING_RED), "4 units, but b has 6: of another network"),
        (lambda folder: write_folder(folder, RING_RING_RED, "other"), "layer b isn't dissected there; other are"),
        (
            lambda folder: (folder / "summary.json").write_text(
                json.dumps({"layers": [{"layer": LAYER, "table": "../units.csv"}]})
            ),
            "layer b isn't dissected there",
        ),
    ],
)
def test_a_wrong_folder_is_one_line(tmp_path, change, said):
    folder = write_folder(tmp_path / "d", [finding(k, "ring") for k in range(UNITS)])
    assert len(read_findings(str(folder), {LAYER: UNITS})[LAYER]) == UNITS
    change(folder)
    with pytest.raises(InputError, match=said) as raised:
        read_findings(str(folder), {LAYER: UNITS})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"weights": "those of another network"}, "a dissection of other weights"),
        ({"rotation": 4}, "a dissection of rotated units"),
    ],
)
def test_units_of_other_weights_or_rotated_ones_explain_nothing(context, tmp_path, about, said):
    folder = write_folder(tmp_path / "d", [finding(k, "ring") for k in range(UNITS)])
    document = json.loads((folder / "summary.json").read_text())
    own = {"weights": weights_fingerprint(context.model), "rotation": 0}
    for method in ("concept_contribution", "concept_losses"):
        (folder / "summary.json").write_text(json.dumps(document | own))
        run_method(context, method, dissected=str(folder))
        (folder / "summary.json").write_text(json.dumps(document | own | about))
        with pytest.raises(InputError, match=said):
            run_method(context, method, dissected=str(folder))


def test_what_can_not_be_answered_is_said(context, tmp_path):
    folder = write_folder(tmp_path / "d", [finding(k, "ring", iou=0.01) for k in range(UNITS)])
    with pytest.raises(InputError, match="no unit is a detector at an IoU of 0.04; lower the threshold"):
        run_method(context, "concept_losses", dissected=str(folder))
    bare = make_context(context.model, context.arguments[0], [LAYER])
    for method in ("concept_losses", "concept_contribution"):
        with pytest.raises(InputError, match="needs a data set"):
            run_method(bare, method)
    with pytest.raises(InputError, match="concept_losses needs a data set"):
        run_method(bare, "concept_losses", dissected=str(folder))

    class Rounded(Small):
        def forward(self, x):
            return super().forward(x).detach().round()

    rounded = make_context(Rounded().eval(), context.arguments[0], [LAYER], data=context.data)
    with pytest.raises(ModelError, match="no gradient"):
        run_method(rounded, "concept_contribution", dissected=str(folder))
