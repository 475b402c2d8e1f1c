"""Misclassified pictures with the concepts behind both classes: found, in order, with sums that are the scores."""

import numpy as np
import pytest
from PIL import ImageFont

torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402

from innerwalk.tests.support.method_runs import Pictures, make_context, run_method  # noqa: E402
from innerwalk.tests.torch_bridge.methods.test_predictions_by_concept import finding, write_folder  # noqa: E402
from innerwalk.torch_bridge.attribution.heat_sheet import GAP, TILE, draw_sheet, fitted_text  # noqa: E402
from innerwalk.torch_bridge.dissection.failure_cases import ConceptEvidence, find_failures  # noqa: E402
from innerwalk.torch_bridge.dissection.failure_sheet import RIGHT, WRONG, FailureCase, draw_evidence  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402

CLASSES = ("red", "green", "blue")
HALF = 0.5


class Colours(nn.Module):
    """A unit for each colour, and scores that count red twice: what is a bit red is called red."""

    def __init__(self):
        super().__init__()
        self.b, self.c = nn.Conv2d(3, 3, 1, bias=False), nn.Linear(3, 3, bias=False)
        with torch.no_grad():
            self.b.weight.copy_(torch.eye(3)[:, :, None, None])
            self.c.weight.copy_(torch.diag(torch.tensor([2.0, 1.0, 1.0])))

    def forward(self, picture):
        return self.c((self.b(picture) + 1).mean((2, 3)))


def coloured(*shares: float) -> np.ndarray:
    """(16, 16, 3) uint8: one colour, its parts as shares."""
    return np.full((16, 16, 3), np.array(shares) * 255).astype(np.uint8)


@pytest.fixture
def context():
    return context_of(CLASSES)


def context_of(names):
    """Five pictures: red, green and blue ones, and two with some red in them that are misclassified."""
    pictures = [coloured(0.9, 0.1, 0), coloured(0, 1, 0), coloured(0.6, 1, 0), coloured(0.9, 0, 1), coloured(0, 0, 1)]
    data = Pictures([*pictures, coloured(0.5, 0.5, 0.5)], [0, 1, 1, 2, 2, -1], names)
    from innerwalk.torch_bridge.inputs.preprocess import Preprocessing

    half = Preprocessing(size=(16, 16), mean=(HALF,) * 3, std=(HALF,) * 3)
    return make_context(Colours().eval(), torch.zeros(1, 3, 16, 16), ["b"], (), half, names, data)


@pytest.fixture
def folder(tmp_path):
    """What the units detect: two colours, and nothing."""
    findings = [finding(0, "red", "colour"), finding(1, "green", "colour"), finding(2, "star", iou=0.01)]
    return str(write_folder(tmp_path / "d", findings, "b"))


def test_failures_are_found_and_the_largest_lead_is_first(context):
    *_, answers = find_failures(context, range(6))
    assert answers.pictures == 5 and answers.share == 1.0  # one has no class
    assert [(own.number, own.wrong, own.right) for own in answers.found] == [(3, 0, 2), (2, 0, 1)]
    assert [own.margin for own in answers.found] == pytest.approx([2 * 1.8 - 2, 2 * 1.2 - 2], abs=0.02)


def test_a_class_of_the_same_name_is_no_failure():
    *_, answers = find_failures(context_of(("blue", "green", "blue")), range(6))
    assert [own.number for own in answers.found] == [2]


def test_contributions_of_concepts_add_up_to_the_scores_of_both_classes(context, folder):
    maps = run_method(context, "concept_failures", dissected=folder)["b"]
    (chart,) = maps.charts
    assert chart.rows == ("red, is blue", "red, is green") and chart.series[-1] == "no concept"
    table = [dict(zip(chart.series, row, strict=True)) for row in chart.values]
    # of (b + 1) / mean the units' part is b alone: 2 * .8 for red, less 1 * 1 for blue; and 2 * .2 less 1 * 1
    assert table[0] == pytest.approx({"red": 1.6, "green": 0.0, "no concept": -1.0}, abs=0.03)
    assert table[1] == pytest.approx({"red": 0.4, "green": -1.0, "no concept": 0.0}, abs=0.03)
    assert maps.labels == ("2 of 2 failures among 5 pictures of made",) and maps.channels == 1
    assert maps.note == "made 3: red, is blue; red 1.6; against no concept 1"


def test_only_the_largest_leads_are_shown(context, folder):
    (chart,) = run_method(context, "concept_failures", dissected=folder, most=1)["b"].charts
    assert chart.rows == ("red, is blue",)


def test_bars_are_as_long_as_contributions():
    evidence = ConceptEvidence(("ring", "no concept"), np.array([4.0, -1.0]), np.array([2.0, 1.0]))
    tile = draw_evidence(evidence)
    red, green = ((tile == colour).all(-1) for colour in (WRONG, RIGHT))
    lengths = [int(mask[rows].any(0).sum()) for rows in (slice(0, 26), slice(26, TILE)) for mask in (red, green)]
    unit = (TILE - 1) / 5  # from -1 to 4
    assert lengths == pytest.approx([4 * unit, 2 * unit, unit, unit], abs=2)


def test_long_names_stay_in_their_tile():
    long = "ILSVRC2012_validation_00000293.JPEG"
    short = FailureCase(coloured(1, 0, 0), "a", "b", "c", ConceptEvidence(("d",), np.ones(1), -np.ones(1)))
    case = FailureCase(short.pixels, long, long, long, ConceptEvidence((long,), np.ones(1), -np.ones(1)))
    font = ImageFont.load_default(15)
    assert fitted_text("ring", font, TILE) == "ring" and font.getlength(fitted_text(long, font, TILE)) <= TILE
    assert fitted_text(long, font, TILE).startswith("ILSVRC") and fitted_text(long, font, TILE).endswith("293.JPEG")
    sheet, plain = (draw_sheet([[*each.tiles(), *short.tiles()]], 15) for each in (case, short))
    after = 2 * (TILE + GAP) + GAP
    assert np.array_equal(sheet[:, after:], plain[:, after:])  # the neighbour is as beside short names
    right = slice(TILE - 28, TILE)
    assert np.array_equal(draw_evidence(case.evidence)[:, right], draw_evidence(short.evidence)[:, right])


@pytest.mark.parametrize(
    ("labels", "classes", "said"),
    [
        ([0, 1, 1, 1, 1, 1], ("a", "b"), "none of these pictures has a class of the network"),
        ([0, 1, 0, 0, 2, -1], CLASSES, "all 5 pictures of made are classified correctly"),
    ],
)
def test_nothing_to_show_is_one_line(context, folder, labels, classes, said):
    from dataclasses import replace

    data = Pictures(context.data.pictures, labels, classes)
    with pytest.raises(InputError, match=said):
        run_method(replace(context, data=data), "concept_failures", dissected=folder)


def test_scores_that_are_no_numbers_are_one_line(context, folder):
    with torch.no_grad():
        context.model.c.weight[1, 1] = np.nan
    with pytest.raises(ModelError, match="the network's scores of made 0 are NaN or infinite"):
        run_method(context, "concept_failures", dissected=folder)


def test_without_a_data_set_it_says_so(context, folder):
    from dataclasses import replace

    with pytest.raises(InputError, match="concept_failures needs a data set"):
        run_method(replace(context, data=None), "concept_failures", dissected=folder)
