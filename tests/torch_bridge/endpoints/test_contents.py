"""What boards show of inputs and outputs whose content is known: values, words, pixels."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from innerwalk.tests.support import SUPPORT  # noqa: E402
from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.capture import RecordingInfo  # noqa: E402
from innerwalk.torch_bridge.capture.call_arguments import Keywords  # noqa: E402
from innerwalk.torch_bridge.capture.trace.op_types import tensors_in  # noqa: E402
from innerwalk.torch_bridge.endpoints import named_tensors  # noqa: E402
from innerwalk.torch_bridge.endpoints.boxes import make_boxes  # noqa: E402
from innerwalk.torch_bridge.endpoints.content import make_table  # noqa: E402
from innerwalk.torch_bridge.endpoints.pictures import (  # noqa: E402
    make_class_volume,
    make_flow,
    make_masks,
    make_spectrogram,
    make_volume,
)
from innerwalk.torch_bridge.endpoints.tokens import make_token_scores, make_tokens  # noqa: E402
from innerwalk.torch_bridge.endpoints.waveform import make_waveform  # noqa: E402
from innerwalk.torch_bridge.inputs.sources import Input  # noqa: E402
from innerwalk.torch_bridge.predictions import ClassNames  # noqa: E402
from innerwalk.torch_bridge.recording import load  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, prepare, run  # noqa: E402

torch.set_num_threads(1)
RED, CYAN, WHITE = [255, 0, 0], [0, 255, 255], [255, 255, 255]


class Returns(nn.Module):
    """Returns what a function makes of its arguments, and runs a layer so that there is a panel."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function, self.layer = function, nn.Linear(1, 1)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def test_names_are_in_the_order_of_the_tensors() -> None:
    class Cache:
        def __init__(self) -> None:
            self.keys, self.empty = [torch.ones(1)], None

    one = torch.zeros(1)
    value = {"a": one, "b": {"c": (one, [one])}, 3: Cache(), "none": None, "text": "x"}
    named = list(named_tensors(value))
    assert [name for name, _ in named] == ["a", "b.c[0]", "b.c[1][0]", "3.keys[0]"]
    assert [name for name, _ in named_tensors({"a\nb" * 500: one})][0].isprintable()
    assert all(own is other for (_, own), other in zip(named, tensors_in(value), strict=True))


def test_red_flows_to_the_right_and_no_flow_is_white() -> None:
    field = np.zeros((2, 1, 3))
    field[0, 0] = 2, -2, 0
    flow = make_flow(field)
    assert flow.pixels[0, 0].tolist() == [RED, CYAN, WHITE] and flow.values.tolist() == [[2]]


def test_low_frequencies_are_below_and_time_runs_to_the_right() -> None:
    spectrum = np.zeros((5, 7))
    spectrum[0, 6] = 1  # low and late
    pixels = make_spectrogram(spectrum).pixels
    assert pixels.shape == (1, 5, 7, 3) and np.argwhere(pixels[0].sum(2)).tolist() == [[4, 6]]
    steps = np.zeros((300, 80))
    steps[299, 0] = 1
    turned = make_spectrogram(steps)
    assert np.argwhere(turned.pixels[0].sum(2)).tolist() == [[79, 299]]
    assert turned.note == "time taken from the first axis"


def test_slices_of_a_volume_and_classes_of_its_voxels() -> None:
    values = np.zeros((1, 3, 4, 5))
    values[0, 1, 2, 3] = 9
    assert np.argwhere(make_volume(values).pixels[..., 0] == 255).tolist() == [[1, 2, 3]]
    scores = np.stack([np.ones((3, 4, 5)), values[0]])
    drawn = make_class_volume(scores)
    assert np.argwhere(drawn.pixels.any(3)).tolist() == [[1, 2, 3]] and drawn.note == "the class of each voxel, of 2"
    assert make_volume(np.zeros((1, 200, 300, 40))).pixels.shape == (50, 100, 40, 3)


def test_masks_are_white_inside_whatever_their_values_are() -> None:
    inside = np.array([[True, False]])
    for values in (inside, inside * 0.9, np.where(inside, 5.0, -3.0), np.where(inside, 1, np.nan)):
        assert make_masks(values).pixels[0, 0, :, 0].tolist() == [255, 0]
    assert make_masks(np.ones(4)).pixels.shape == (1, 1, 4, 3)
    assert make_masks(np.ones((20, 2, 2))).note == "first 16 of 20 masks"


def test_the_outline_of_a_sound_holds_its_extremes() -> None:
    sound = np.zeros(5120, np.float32)
    sound[1003], sound[1004] = 0.5, -0.25
    drawn = make_waveform(sound)
    assert drawn.values.shape == (2, 512) and drawn.note == "5,120 samples"
    assert drawn.values[:, 100].tolist() == [-0.25, 0.5] and not np.delete(drawn.values, 100, 1).any()
    assert np.array_equal(make_waveform(sound[:, None]).values, drawn.values)


def test_tokens_have_words_and_probabilities() -> None:
    words = {2: "cat", 1: "dog"}
    strip = make_tokens(np.array([2, 7]), words)
    assert strip.labels == ("cat", "7") and strip.values.tolist() == [[0, 2, 1], [1, 7, 1]]
    scores = torch.full((2, 4), -50.0)
    scores[0, 2], scores[1, 1], scores[1, 3] = 50.0, 50.0, 50.0
    strip = make_token_scores(scores, words)
    assert strip.labels[0] == "cat" and strip.values[0].tolist() == [0, 2, 1]
    assert sorted(strip.labels[3:5]) == ["3", "dog"] and strip.values[3:5, 2].tolist() == [0.5, 0.5]
    assert strip.values[:, 0].tolist() == [0, 0, 0, 1, 1, 1]


def test_boxes_of_torchvision_and_of_detr() -> None:
    names = ClassNames(("cat", "dog"))
    pixels = np.array([[10.0, 20, 30, 40], [0, 0, 100, 200]])
    beside = {"scores": np.array([0.25, 0.75]), "labels": np.array([0, 1])}
    drawn = make_boxes(pixels, beside, names, (200, 100))
    assert drawn.labels == ("dog", "cat") and drawn.note == "taken for x0, y0, x1, y1 in pixels"
    assert np.allclose(drawn.values, [[0.75, 0, 0, 1, 1], [0.25, 0.1, 0.1, 0.3, 0.2]])
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]))
    centred = np.array([[0.5, 0.5, 0.2, 0.4], [0.5, 0.5, 1, 1]])
    drawn = make_boxes(centred, {"logits": logits}, names, (200, 100))
    assert drawn.labels == ("cat", "dog") and drawn.note == "taken for centre and size as shares"
    assert np.allclose(drawn.values, [[0.6, 0, 0, 1, 1], [0.2, 0.4, 0.3, 0.6, 0.7]])


def test_large_tables_are_cut_and_say_so() -> None:
    table = make_table("sequence", np.arange(70.0 * 100).reshape(70, 100))
    assert table.values.shape == (64, 64) and table.values[1, 0] == 100
    assert table.note == "first 64 of 70 rows, first 64 of 100 columns"


def test_the_input_of_a_batch_that_is_recorded_is_shown() -> None:
    pictures = torch.zeros(2, 3, 4, 4)
    pictures[1, 0, 0, 0] = 1
    words = torch.tensor([[1, 2], [3, 4]])
    model = Returns(lambda picture, ids: {"class_logits": ids.float() * 20, "ids": ids})
    recording = record(model, (pictures, words), index=1, info=RecordingInfo(words={3: "cat"}))
    assert recording.inputs[0].pixels[0, 0, 0].tolist() == RED
    assert recording.inputs[1].labels == ("cat", "4")
    scores, ids = recording.outputs
    assert scores.kind == "classes" and scores.values[:, 0].tolist() == [1, 0] and scores.labels == ("4", "cat")
    assert ids.kind == "tokens" and ids.labels == ("cat", "4")


def test_what_is_known_of_an_input_goes_with_its_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))
    spec = RecordSpec("input_models:Masked", folder=str(SUPPORT))
    subject, picture = prepare(spec), np.zeros((2, 2, 3), np.uint8)
    ids = Input(torch.tensor([[1, 2]]), picture, "ids.npy", "as they are", unchanged=True, kind="tokens")
    named = Input(Keywords(mask=torch.ones(1, 2), scale=torch.ones(1)), picture, "two by name", "", unchanged=True)
    found = run(spec, subject, [ids, named], ()).inputs
    assert [(own.name, own.source, own.kind) for own in found] == [
        ("ids", "ids.npy", "tokens"), ("mask", "two by name", "mask"), ("scale", "two by name", "numbers"),
    ]  # fmt: skip
    assert found[0].note == "as they are"


def test_scores_of_places_in_a_text_are_named_by_its_words() -> None:
    """As the start and the end of an answer in a text."""
    model = Returns(lambda ids: {"start_logits": ids * 1.0, "end_logits": -ids * 1.0})
    info = RecordingInfo(words={5: "small", 9: "cat", 1: "a"})
    start, end = record(model, torch.tensor([[1, 5, 9]]), info=info).outputs
    assert (start.labels, end.labels) == (("cat", "small", "a"), ("a", "small", "cat"))
    assert start.values[:, 0].tolist() == [2, 1, 0] and np.isclose(
        start.values[0, 1], 1 / (1 + np.exp(-4) + np.exp(-8))
    )


KINDS: dict[str, tuple[Any, Any, str]] = {
    "a sound": (torch.rand(1, 1, 4000), "audio", "waveform"),
    "a spectrogram": (torch.rand(1, 80, 300), "input_features", "spectrogram"),
    "a spectrogram by steps": (torch.rand(1, 300, 128), "input_values", "spectrogram"),
    "a volume": (torch.rand(1, 1, 8, 9, 10), "scan", "volume"),
    "maps": (torch.rand(1, 16, 9, 9), "x", "volume"),
    "a flow": (torch.rand(1, 2, 9, 9), "init_flow", "flow"),
    "a mask of pixels": (torch.ones(1, 9, 9).long(), "pixel_mask", "mask"),
    "a mask": (torch.ones(1, 7).bool(), "kept", "mask"),
    "words": (torch.ones(1, 7).long(), "x", "tokens"),
    "steps": (torch.rand(1, 20, 6), "x", "numbers"),
    "a vector": (torch.rand(1, 784), "x", "numbers"),
    "a time": (torch.rand(1), "timestep", "numbers"),
    "a picture": (torch.rand(1, 3, 9, 9), "x", "picture"),
    "a grey picture": (torch.rand(1, 1, 9, 9), "x", "picture"),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_of_inputs(name: str) -> None:
    values, argument, kind = KINDS[name]
    found = record(Returns(lambda **named: next(iter(named.values())) * 1), {argument: values}).inputs[0]
    assert (found.kind, found.name) == (kind, argument)
    assert (found.pixels is None) == (kind in ("waveform", "tokens", "numbers"))


def test_the_picture_is_stored_once_and_reads_back(tmp_path: Any) -> None:
    recording = record(nn.Conv2d(3, 2, 3), torch.rand(1, 3, 9, 9))
    back = load(recording.save(tmp_path))
    assert np.array_equal(back.inputs[0].pixels[0], recording.picture)
    assert [own.name for own in (*back.inputs, *back.outputs)] == ["input", "output"]


def test_further_outputs_share_the_last_place() -> None:
    recording = record(Returns(lambda x: [x + k for k in range(40)]), torch.rand(1, 4))
    assert len(recording.outputs) == 16 and recording.outputs[-1].name == "25 more"
    sources = [edge.source for edge in recording.network.edges if edge.target == recording.outputs[-1].layer]
    assert len(sources) == 25


ODD: dict[str, Any] = {
    "nothing": lambda x: None,
    "a text": lambda x: "cat",
    "empty": lambda x: x[:, :0],
    "sparse": lambda x: x.to_sparse(),
    "nested": lambda x: torch.nested.nested_tensor([x[0], x[0, :2]]),
    "complex": lambda x: x.to(torch.complex64),
    "quantised": lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8),
    "a number": lambda x: x.sum(),
    "not numbers": lambda x: x * float("nan"),
    "half": lambda x: x.half(),
    "six axes": lambda x: x.reshape(1, 1, 1, 1, 2, 2),
    "bfloat16": lambda x: {"logits": x.bfloat16()},
    "the same twice": lambda x: {"a": x, "b": x},
    "the input": lambda x: x,
    "boxes of none": lambda x: {"boxes": x[:0], "scores": x[0, :0], "labels": x[0, :0].long()},
    "unlike boxes": lambda x: {"boxes": x, "scores": x, "labels": x},
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ODD)
def test_odd_outputs_are_kept_and_read_back(name: str, tmp_path: Any) -> None:
    recording = record(Returns(ODD[name]), torch.rand(1, 4), classes=())
    back = load(recording.save(tmp_path))
    assert [own.kind for own in back.outputs] == [own.kind for own in recording.outputs]
    assert len(back.outputs) == sum(1 for _ in tensors_in(ODD[name](torch.rand(1, 4))))
