"""Interpretation of outputs of any form, with known answers."""

from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.models.torchvision_ops import nms, roi_align  # noqa: E402
from innerwalk.torch_bridge.predictions.class_names import ClassNames  # noqa: E402
from innerwalk.torch_bridge.predictions.classes import class_scores  # noqa: E402
from innerwalk.torch_bridge.predictions.masks import palette  # noqa: E402
from innerwalk.torch_bridge.predictions.outputs import interpret_output, main_tensor  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402

PICTURE = np.full((8, 12, 3), 128, np.uint8)
LOGITS = torch.tensor([[0.0, 2.0, 1.0]])
CHANCES = np.exp([0.0, 2.0, 1.0]) / np.exp([0.0, 2.0, 1.0]).sum()


def test_logits_are_classes_best_first():
    found = interpret_output(LOGITS, PICTURE, ClassNames(("cat", "dog", "owl")))
    assert [(index, name) for index, name, _ in found.top] == [(1, "dog"), (2, "owl"), (0, "cat")]
    assert np.allclose([share for _, _, share in found.top], sorted(CHANCES)[::-1])


@pytest.mark.parametrize(
    "form", [torch.softmax(LOGITS, 1), torch.log_softmax(LOGITS, 1), LOGITS + 100, LOGITS.bfloat16()]
)
def test_probabilities_in_any_form_come_out_the_same(form):
    assert np.allclose([share for _, _, share in interpret_output(form, PICTURE).top], sorted(CHANCES)[::-1], atol=0.01)


class AttrDict(dict):
    __getattr__ = dict.__getitem__  # raises KeyError where others raise AttributeError


@dataclass
class Answer:
    loss: torch.Tensor | None
    logits: torch.Tensor


@dataclass
class ModelOutput(OrderedDict):
    """As in transformers: a dict of what there is, and a dataclass."""

    loss: torch.Tensor | None
    logits: torch.Tensor

    def __post_init__(self):
        self["logits"] = self.logits


@pytest.mark.filterwarnings("ignore:.*(quantize_per_tensor|nested tensors|Sparse)")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda values: AttrDict(logits=values),
        lambda values: UserDict(logits=values),
        lambda values: Answer(None, values),
        lambda values: ModelOutput(None, values),
        lambda values: (None, values),
        lambda values: {"other": torch.zeros(1, 2), "logits": values},
        lambda values: values.to_sparse(),
        lambda values: values.to_sparse_csr(),
        lambda values: torch.quantize_per_tensor(values, 0.1, 0, torch.qint8),
    ],
)
def test_logits_in_any_wrapping_come_out_the_same(wrap):
    found = interpret_output(wrap(LOGITS), PICTURE).top
    assert np.allclose([share for _, _, share in found], sorted(CHANCES)[::-1]) and found[0][0] == 1


@pytest.mark.filterwarnings("ignore:.*nested tensors")
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_nested_outputs_are_no_prediction(layout):
    nested = torch.nested.nested_tensor([LOGITS, LOGITS], layout=layout)
    assert interpret_output(nested, PICTURE).kind == "none"
    with pytest.raises(InputError, match="has no plain tensor; class scores"):
        class_scores(main_tensor(nested))


def test_ten_classes_are_kept_and_nan_is_impossible():
    values = torch.arange(20.0)[None].clone()
    values[0, 19] = torch.nan
    found = interpret_output(values, PICTURE)
    assert [index for index, _, _ in found.top] == list(range(18, 8, -1)) and found.top[0][1] == "class 18"
    assert interpret_output(torch.full((1, 4), torch.nan), PICTURE).kind == "numbers"


def test_infinite_logits_and_nan_are_named():
    values = torch.tensor([[1.0, torch.inf, 3.0, torch.inf, torch.nan, -torch.inf]])
    found = interpret_output(values, PICTURE, ClassNames(("a", "b", "c", "d", "e", "f")))
    assert found.top[:2] == ((1, "b (infinite)", 0.5), (3, "d (infinite)", 0.5))
    assert {name: share for _, name, share in found.top[2:]} == {"a": 0.0, "c": 0.0, "e (NaN)": 0.0, "f": 0.0}


@pytest.mark.parametrize("count", [1, 3])
def test_pixels_of_a_mask_that_are_nan_are_named(count):
    scores = torch.full((1, count, 8, 12), torch.nan)
    planes = max(count, 2)
    assert interpret_output(scores, PICTURE).top == ((planes, "NaN", 1.0),)
    scores[0, :, :, :6] = -5
    scores[0, -1, :, :6] = 5
    found = interpret_output(scores, PICTURE)
    assert [(index, share) for index, _, share in found.top] == [(planes - 1, 0.5), (planes, 0.5)]
    assert (found.picture[0, 0] != found.picture[0, 11]).any()


@dataclass
class Named:
    hidden: torch.Tensor
    logits: torch.Tensor


@pytest.mark.parametrize(
    "output",
    [
        namedtuple("GoogLeNetOutputs", "logits aux_logits2 aux_logits1")(LOGITS, LOGITS * -1, None),
        Named(torch.zeros(1, 3, 8, 8), LOGITS),
        {"hidden": torch.zeros(1, 5), "logits": LOGITS},
        (LOGITS, torch.zeros(1, 9)),
        [None, {"a": LOGITS}],
        LOGITS[:, :, None, None],
    ],
)
def test_the_main_part_of_an_output_is_found(output):
    assert [index for index, _, _ in interpret_output(output, PICTURE).top] == [1, 2, 0]


@pytest.mark.parametrize(("values", "black", "white"), [((-1, 1), -1, 1), ((0, 1), 0, 1), ((0, 255), 0, 255)])
@pytest.mark.parametrize("channels", [1, 3])
def test_generators_end_in_their_picture(values, black, white, channels):
    planes = np.random.default_rng(0).uniform(*values, (1, channels, 9, 7))
    planes[0, :, 0, 0], planes[0, :, 0, 1] = black, white
    found = interpret_output(torch.from_numpy(planes), PICTURE)
    wanted = np.broadcast_to((planes[0].transpose(1, 2, 0) - black) / (white - black) * 255, (9, 7, 3))
    assert found.kind == "picture" and np.abs(found.picture - wanted).max() <= 0.5 + 1e-6


def test_segmentation_is_a_mask_with_shares():
    scores = torch.zeros(1, 3, 8, 12)
    scores[0, 1, :, :3], scores[0, 2, :4, 3:6], scores[0, 0] = 9, 9, 1
    found = interpret_output({"out": scores, "aux": -scores}, PICTURE, ClassNames(("__background__", "bird", "cat")))
    assert found.kind == "mask"
    assert found.top == ((0, "__background__", 0.625), (1, "bird", 0.25), (2, "cat", 0.125))
    bird, cat, ground = found.picture[0, 0], found.picture[0, 4], found.picture[0, 11]
    assert len(set(ground.tolist())) == 1 and ground[0] < 128  # background: grey and dark
    assert np.abs(bird.astype(int) - cat).max() > 60 and (found.picture[:, :3] == bird).all()


def test_coarse_masks_are_enlarged_and_one_plane_is_foreground():
    scores = torch.zeros(1, 2, 4, 6)
    scores[0, 1, :, 3:] = 5
    scores[0, 0, :, :3] = 5
    assert [share for _, _, share in interpret_output(scores, PICTURE).top] == [0.5, 0.5]
    single = torch.full((1, 1, 8, 12), -4.0)
    single[0, 0, :2] = 4
    assert interpret_output(single, PICTURE).top == ((0, "background", 0.75), (1, "foreground", 0.25))


def test_detections_are_boxes_in_shares_of_the_picture():
    detections = [{
        "boxes": torch.tensor([[0.0, 0, 6, 4], [3, 2, 12, 8], [0, 0, 1, 1]]),
        "labels": torch.tensor([1, 2, 1]), "scores": torch.tensor([0.5, 0.9, 0.1]),
    }]  # fmt: skip
    found = interpret_output(detections, PICTURE, ClassNames(("__background__", "bird", "cat")))
    assert found.kind == "boxes" and [box[0] for box in found.boxes] == ["cat", "bird"]
    assert np.allclose(found.boxes[0][1:], (0.9, 0.25, 0.25, 1, 1)) and np.allclose(
        found.boxes[1][2:], (0, 0, 0.5, 0.5)
    )
    nothing = [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "scores": torch.zeros(0)}]
    assert interpret_output(nothing, PICTURE).boxes == ()


@pytest.mark.parametrize(
    ("output", "kind", "numbers"),
    [
        (torch.tensor([[0.25]]), "numbers", (0.25,)),
        (torch.tensor(3), "numbers", (3.0,)),
        (torch.tensor([4.0, 5.0]), "numbers", (4.0,)),
        (torch.zeros(1, 7, 16), "none", ()),
        (torch.zeros(1, 512, 4, 4), "none", ()),
        (torch.zeros(0, 3), "none", ()),
        (None, "none", ()),
        ("done", "none", ()),
        ({"loss": "high"}, "none", ()),
    ],
)
def test_everything_else_is_numbers_or_nothing(output, kind, numbers):
    found = interpret_output(output, PICTURE)
    assert (found.kind, found.numbers) == (kind, numbers)


def test_a_persons_class_names_must_be_as_many():
    with pytest.raises(InputError, match=r"class names pets.json: 2 names, the network has 3 classes"):
        interpret_output(LOGITS, PICTURE, ClassNames(("cat", "dog"), "pets.json", binding=True))
    assert interpret_output(LOGITS, PICTURE, ClassNames(("cat", "dog"), "metadata")).top[0][1] == "class 1"


def test_mask_colours_are_told_apart():
    """Distances in OKLab: over 0.13 among the first ten, where 0.02 can just be seen; and all in sRGB."""
    colours = palette(40)
    assert colours.min() >= 0 and colours.max() <= 1
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    to_lms = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                       [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    to_lab = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                       [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    lab = np.cbrt(linear @ to_lms.T) @ to_lab.T
    apart = np.linalg.norm(lab[:10, None] - lab[None, :10], axis=2)
    assert apart[~np.eye(10, dtype=bool)].min() > 0.13


def test_suppression_keeps_the_best_of_overlapping_boxes():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 0, 10, 4.9], [5, 5, 5, 5]])
    scores = torch.tensor([0.8, 0.9, 0.1, 0.7, 0.05])
    assert nms(boxes, scores, 0.5).tolist() == [1, 3, 2, 4] or nms(boxes, scores, 0.5).tolist() == [1, 2, 4]
    assert nms(boxes, scores, 0.95).tolist() == [1, 0, 3, 2, 4]
    assert nms(boxes[:0], scores[:0], 0.5).tolist() == []


@pytest.mark.parametrize("sampling", [2, 0])
def test_aligned_regions_of_a_ramp_are_its_values(sampling):
    """Bilinear sampling of a plane x + 10 y is exact: a cell's mean is the value at its middle."""
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(30.0), indexing="ij")
    values = torch.stack([x + 10 * y, -x])[None].repeat(2, 1, 1, 1)
    values[1] += 1000
    regions = torch.tensor([[0.0, 4, 2, 12, 10], [1, 10, 6, 26, 18]])
    found = roi_align(values, regions, 0.5, 2, 4, sampling, True)
    for row, (sample, x0, y0, x1, y1) in zip(found, regions.tolist(), strict=True):
        middle_x = (x0 + (torch.arange(4) + 0.5) * (x1 - x0) / 4) / 2 - 0.5
        middle_y = (y0 + (torch.arange(2) + 0.5) * (y1 - y0) / 2) / 2 - 0.5
        wanted = middle_x[None] + 10 * middle_y[:, None] + 1000 * sample
        assert torch.allclose(row[0], wanted, atol=1e-3)
    assert roi_align(values, regions[:0], 0.5, 2, 4, sampling, True).shape == (0, 2, 2, 4)
