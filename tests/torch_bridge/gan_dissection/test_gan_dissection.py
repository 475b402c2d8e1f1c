"""GAN Dissection of a generator whose unit k paints colour k: all answers are known."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs PyTorch")

import torch

from innerwalk.tests.support.own_networks import Painter, PainterSegmenter
from innerwalk.torch_bridge import record
from innerwalk.torch_bridge.gan_dissection import artefact_votes, interventions, segmenters
from innerwalk.torch_bridge.gan_dissection.generator_layer import GeneratorLayer, convolution_layers
from innerwalk.torch_bridge.gan_dissection.unit_concepts import MaskCounts, dissect_units
from innerwalk.torch_bridge.recording.errors import InputError, ModelError
from innerwalk.torch_bridge.subject import RecordSpec, prepare

NAMES = ["none", "red", "green", "blue"]
SUPPORT = Path(__file__).resolve().parents[2] / "support"


@pytest.fixture(scope="module")
def generator() -> GeneratorLayer:
    return GeneratorLayer(Painter().eval(), "units", (torch.zeros(1, 3),), "Painter")


def segmenter_of(generator, names=NAMES, model="PainterSegmenter"):
    spec = RecordSpec(f"innerwalk.tests.support.own_networks:{model}", classes=names, mean=(0.5,), std=(0.5,))
    pictures = generator.maps_and_pictures(generator.codes(2, 0))[1]
    return segmenters.NetworkSegmenter(prepare(spec), pictures, torch.device("cpu"))


@pytest.fixture(scope="module")
def segmenter(generator):
    return segmenter_of(generator)


@pytest.fixture(scope="module")
def dissected(generator, segmenter):
    return list(dissect_units(generator, segmenter, generator.codes(48, 0)))[-1]


@pytest.mark.parametrize(("how", "least"), [("information", 0.95), ("quantile", 0.55)])
def test_each_unit_paints_its_colour(generator, segmenter, how, least):
    """Masks above 0, the value of 90 % of the positions, reach half a position too far on each side."""
    found = list(dissect_units(generator, segmenter, generator.codes(48, 0), how, 0.1))[-1]
    assert [finding.best.concept for finding in found.findings] == NAMES[1:]
    assert all(finding.best.iou > least for finding in found.findings)
    assert np.allclose(found.levels[:, 1:], np.eye(3))


def test_ablation_removes_exactly_the_units_mask_and_insertion_adds_it(generator, segmenter):
    codes = generator.codes(5, 3)
    before = segmenter.shown(generator.maps_and_pictures(codes)[1], codes)
    without = segmenter.shown(generator.changed(codes, interventions.ablation([1])), codes)
    assert before[:, 2].any() and not without[:, 2].any()
    assert torch.equal(without[:, [1, 3]], before[:, [1, 3]]) and torch.equal(
        without[:, 0], before[:, 0] | before[:, 2]
    )
    region = torch.zeros(12, 12, dtype=torch.bool)
    region[:2, 5:9] = True
    picture = generator.changed(codes, interventions.insertion([2], torch.ones(1), region))
    place = region.repeat_interleave(2, 0).repeat_interleave(2, 1)
    original = generator.maps_and_pictures(codes)[1]
    assert (picture[:, 2, place] == 1).all() and torch.equal(picture[:, :2], original[:, :2])
    assert torch.equal(picture[:, 2, ~place], original[:, 2, ~place])


@pytest.mark.parametrize("unit", [0, 1, 2])
def test_the_search_chooses_the_unit_that_paints(generator, segmenter, dissected, unit):
    concept = NAMES[unit + 1]
    known = interventions.ConceptCodes(generator, segmenter, concept, generator.codes(32, 1))
    levels = torch.from_numpy(dissected.levels[:, unit + 1])
    alpha = list(interventions.rank_units(generator, segmenter, known, levels))[-1]
    assert int(alpha.argmax()) == unit and alpha[unit] > 0.9 and alpha.sort().values[1] < 0.6
    effect = interventions.measure_effect(generator, segmenter, known, concept, [unit], levels)
    assert effect.removed == 1 and effect.effect > 0.4 and effect.inserted > 0.5
    none = interventions.measure_effect(generator, segmenter, known, concept, [(unit + 1) % 3], levels)
    assert none.removed == 0 and none.effect <= 0


def test_the_information_quality_ratio_is_that_of_the_counts():
    counts = MaskCounts.zero(1, 2, 1)
    maps = torch.tensor([[[[1.0, 0], [0, 0]], [[0.0, 1], [1, 0]]]])
    counts.add(maps, torch.tensor([[[[True, False], [False, False]]]]), torch.tensor([[0.5, 0.5]]))
    quality, iou = counts.information_quality()[0, :, 0], counts.iou()[0, :, 0]
    assert quality[0] == pytest.approx(1) and quality[1] == 0  # the second mask avoids the concept
    assert iou.tolist() == [1, 0]


def test_artefact_units_are_found_by_votes(generator, tmp_path):
    codes = generator.codes(8, 5)
    maps = torch.zeros(8, 3, 12, 12)
    maps[:4, 2], maps[:, 0] = 1.0, torch.linspace(0, 1, 8)[:, None, None]
    file = tmp_path / "votes.csv"
    file.write_text("seed,artefact\n" + "".join(f"{k},{int(k < 4)}\n" for k in range(len(codes))))
    votes = artefact_votes.read_votes(file)
    assert artefact_votes.artefact_units(maps, votes, 1) == [2]
    file.write_text("seed,artefact\n1,1\n1,0\n2,1\n3,1\n")
    with pytest.raises(InputError, match="artefacts in 2 of 3 pictures; some with and some without are needed"):
        artefact_votes.read_votes(file)
    assert artefact_votes.parse_votes("1:1, 1:1,2:0,3:0, 4:1,") == {1: 1, 2: 0, 3: 0, 4: 1}


@pytest.mark.parametrize("text", ["1", "1:2", "a:1", "1:1:1", "-1:0"])
def test_text_that_is_no_vote_is_refused(text):
    with pytest.raises(InputError, match="write seeds"):
        artefact_votes.parse_votes(f"1:1, {text}")


def test_votes_are_about_the_pictures_of_the_input_noise(generator):
    subject = prepare(RecordSpec("innerwalk.tests.support.own_networks:Painter"))
    seen = subject.adapter.arguments(subject.adapter.read(["noise:7"], 0))[0]
    assert torch.equal(generator.codes_of([3, 7])[1:], seen)


@pytest.mark.parametrize("row", ["1,2", "x,1", "-1,0", f"{2**63},1", "3", "1,nan"])
def test_a_row_that_is_no_vote_is_named(tmp_path, row):
    file = tmp_path / "votes.csv"
    file.write_text(f"seed,artefact\n1,1\n{row}\n")
    with pytest.raises(InputError, match=r"line 3: no vote; write CSV with the columns seed \(0 or above\) and"):
        artefact_votes.read_votes(file)


def test_networks_of_another_kind_are_refused_in_one_line(generator):
    dense = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4))
    network = record(dense, torch.zeros(1, 4), layers=()).network
    with pytest.raises(ModelError, match="a generator with convolutions is needed"):
        convolution_layers(network)
    with pytest.raises(InputError, match="Dense is no generator: its output isn't pictures"):
        GeneratorLayer(dense, "0", (torch.zeros(1, 4),), "Dense")
    with pytest.raises(InputError, match="is no generator: its input isn't one code of normal numbers"):
        GeneratorLayer(PainterSegmenter(), "classify", (torch.zeros(1, 3, 8, 8),))
    with pytest.raises(InputError, match="layer read of Painter has no maps with rows and columns"):
        GeneratorLayer(Painter(), "read", (torch.zeros(1, 3),), "Painter")


def test_segmenters_of_other_classes_are_refused_in_one_line(generator, segmenter):
    with pytest.raises(InputError, match="segmenter PainterSegmenter scores 4 classes, but 2 are named"):
        segmenter_of(generator, ["none", "red"])
    with pytest.raises(InputError, match="the segmenter knows no concept 'ring'; it knows none, red, green, blue"):
        interventions.ConceptCodes(generator, segmenter, "ring", generator.codes(4, 0))
    with pytest.raises(InputError, match="exact masks are known for codes of 28 numbers"):
        segmenters.ExactMasks().shown(torch.zeros(1, 3, 24, 24), torch.zeros(1, 3))


def test_a_segmenter_that_scores_nan_is_refused(generator):
    with pytest.raises(InputError, match="segmenter NanSegmenter: some of its scores are NaN or infinite"):
        segmenter_of(generator, model="NanSegmenter")


@pytest.mark.parametrize(
    ("count", "quantile", "message"),
    [(1, 0.005, "1 picture: thresholds are chosen on half"), (4, 2.0, "quantile 2: a share"), (4, np.nan, "quantile")],
)
def test_settings_that_cannot_be_are_refused(generator, segmenter, count, quantile, message):
    with pytest.raises(InputError, match=message):
        list(dissect_units(generator, segmenter, generator.codes(count, 0), "information", quantile))


# The real one


@pytest.fixture
def digits(data_folder, monkeypatch) -> GeneratorLayer:
    """The last layer of a DCGAN that draws digits, before its picture."""
    monkeypatch.syspath_prepend(str(SUPPORT))
    weights = data_folder / "weights" / "mnist_dcgan_generator.safetensors"
    subject = prepare(RecordSpec("own_models:DcganGenerator", weights=str(weights)))
    code = subject.adapter.arguments(subject.adapter.read(["noise:0"], 0))
    return GeneratorLayer(subject.built.module, "gen.2.2", code, "DCGAN")


def test_without_all_units_a_dcgan_draws_the_constant_picture(digits):
    codes = digits.codes(3, 0)
    before = digits.maps_and_pictures(codes)[1]
    after = digits.changed(codes, interventions.ablation(range(digits.units)))
    assert before.std((2, 3)).min() > 0.2 and after.flatten(1).std(1).max() == 0
    region = torch.zeros(digits.size, dtype=torch.bool)
    region[: digits.size[0] // 2] = True
    half = digits.changed(codes, interventions.ablation(range(digits.units), region))
    assert torch.equal(half[:, :, :10], after[:, :, :10]) and torch.equal(half[:, :, 18:], before[:, :, 18:])


def test_a_classifier_reads_whole_pictures_of_a_dcgan(digits, data_folder):
    weights = data_folder / "weights" / "mnist_lenet5.safetensors"
    subject = prepare(RecordSpec("own_models:LeNet5", weights=str(weights), classes=[str(k) for k in range(10)]))
    codes = digits.codes(40, 1)
    pictures = digits.maps_and_pictures(codes)[1]
    reader = segmenters.NetworkSegmenter(subject, pictures, torch.device("cpu"))
    shown = reader.shown(pictures, codes)
    assert shown.shape == (40, 10, 28, 28) and (shown.sum(1) == 1).all()
    assert shown[:, :, 0, 0].any(0).sum() >= 6  # different digits
