"""Concept vectors: a concept planted as a union of units, the published loss, arithmetic, folders and hostile files."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from innerwalk.tests.support.method_runs import make_context, run_method  # noqa: E402
from innerwalk.torch_bridge.attribution.heat_sheet import GAP, TILE  # noqa: E402
from innerwalk.torch_bridge.data.labelled import Concept, LabelledData, PixelLabels  # noqa: E402
from innerwalk.torch_bridge.directions import vector_training  # noqa: E402
from innerwalk.torch_bridge.directions.concept_vectors import ConceptVectors  # noqa: E402
from innerwalk.torch_bridge.directions.mask_store import MaskStore  # noqa: E402
from innerwalk.torch_bridge.directions.vector_charts import vector_charts  # noqa: E402
from innerwalk.torch_bridge.directions.vector_files import SUFFIX, read_vectors, write_vectors  # noqa: E402
from innerwalk.torch_bridge.directions.vector_sheet import MaskedPicture, lit_tile  # noqa: E402
from innerwalk.torch_bridge.directions.vector_training import VectorSettings, VectorTraining  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.recording import CATEGORY  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402
from innerwalk.torch_bridge.recording.safetensors import encode, open_arrays  # noqa: E402

SIDE, COUNT, LAYER = 16, 24, "units"
CONCEPTS = (Concept("warm", "colour"), Concept("blue thing", "colour"), Concept("rare", "colour"))


class Colours(nn.Module):
    """A unit for red, for green and for blue; a fourth that never does anything."""

    def __init__(self):
        super().__init__()
        self.units = nn.Conv2d(3, 4, 1, bias=False)
        self.units.weight.data = torch.cat([torch.eye(3), torch.zeros(1, 3)])[:, :, None, None]

    def forward(self, picture):
        return self.units(picture).mean((2, 3))


class Squares(LabelledData):
    """Pictures with a red, a green and a blue square; red and green ones are both "warm"."""

    concept_table = CONCEPTS

    def __init__(self, size=lambda index: SIDE):
        super().__init__("squares", (), np.full(COUNT, -1))
        self.size = size

    def colours(self, index: int) -> np.ndarray:
        random, found = np.random.default_rng(index), np.zeros((self.size(index), self.size(index)), int)
        for colour in (1, 2, 3):
            y, x = random.integers(0, SIDE - 3, 2)
            found[y : y + 3, x : x + 3] = colour
        return found

    def _picture(self, index, near):
        from PIL import Image

        found = self.colours(index)
        return Image.fromarray(np.stack([(found == colour) * 255 for colour in (1, 2, 3)], 2).astype(np.uint8))

    def pixel_labels(self, index):
        labels = np.array([0, 1, 1, 2])[self.colours(index)]
        return PixelLabels(labels[None].astype(np.int32), np.zeros(0, np.int32))


@pytest.fixture
def context():
    plain = Preprocessing(size=(SIDE, SIDE), mean=(0.0,) * 3, std=(1.0,) * 3)
    picture = torch.zeros(1, 3, SIDE, SIDE)
    picture[0, 0, 2:6, 2:6] = picture[0, 1, 9:12, 9:12] = picture[0, 2, 2:4, 10:14] = 1.0
    return make_context(Colours().eval(), picture, [LAYER], (), plain, ("r", "g", "b", "n"), Squares())


RUN = {"count": COUNT, "quantile": 0.1, "epochs": 20, "top": 2}


@pytest.fixture
def planted(context):
    """The maps of the planted concept, and the store and vectors below them."""
    return run_method(context, "concept_vectors", concept="warm", **RUN)[LAYER]


def vectors_of(weights, names=("a", "b", "c"), overlap=0.5) -> ConceptVectors:
    weights = np.array(weights, np.float32)
    scores = np.full((len(weights), 7), overlap, np.float32)
    best = np.abs(weights).argmax(1).astype(np.int32)
    concepts = tuple(Concept(name, "colour") for name in names)
    return ConceptVectors(LAYER, concepts, weights, np.zeros(weights.shape[1], np.float32), best, scores, weights)


def learn(store, **settings) -> ConceptVectors:
    training = VectorTraining(store, LAYER, np.zeros(store.shapes[LAYER][0], np.float32), VectorSettings(**settings))
    steps = training.run()
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def random_store(units=5, cells=4, pixels=12, pictures=20) -> MaskStore:
    """Random masks, and two concepts: one follows units 0 and 1, the other is anything."""
    random, store = np.random.default_rng(0), MaskStore(Squares(), [LAYER])
    for _ in range(pictures):
        masks = random.random((1, units, cells, cells)) < 0.15
        warm = (masks[0, 0] | masks[0, 1]).repeat(pixels // cells, 0).repeat(pixels // cells, 1)
        other = random.random((pixels, pixels)) < 0.3
        labels = np.stack([warm * 1, other * 2])[None].astype(np.int32)
        store.add({LAYER: masks}, PixelLabels(labels, np.zeros((1, 0), np.int32)))
    return store


def test_a_union_of_two_units_is_found_by_both_together_and_by_half_by_one(planted):
    chart = next(chart for chart in planted.charts if chart.kind == "table")
    alone, few, together = chart.values[chart.rows.index("warm")]
    assert alone == pytest.approx(0.5, abs=0.08) and together > 0.95 and few > 0.95
    weights = planted.extras["values"]
    assert (weights[:2] > 0).all() and weights[2] <= 0 and weights[3] == 0
    assert planted.note.startswith("warm: IoU 0.9") or planted.note.startswith("warm: IoU 1.0")
    assert "rare" not in chart.rows  # no picture shows it


def test_tiles_are_as_bright_as_weights_are_large_and_labels_tell_the_sign(planted):
    weights, light = planted.extras["values"], planted.data[:, -1, -1].max(-1)  # a corner that no unit sees
    order = np.argsort(np.abs(weights))
    assert (np.diff(light[order]) >= 0).all() and light[order[-1]] > 0.5 and light[3] == 0
    assert planted.labels[0].startswith("+") and planted.labels[3] == ""
    assert planted.extras[CATEGORY].tolist()[:2] == [2, 2]
    assert sum("best alone" in label for label in planted.labels) == 1
    bars = planted.charts[0]
    assert bars.series == ("against", "for") and all(row[0] <= 0 <= row[1] for row in bars.values)


def test_a_weight_below_zero_is_cold_and_says_so():
    shown = MaskedPicture(np.ones((4, 4, 3), np.float32), np.zeros((2, 4, 4), np.float32), None, "")
    warm, cold = (lit_tile(shown, 0, share)[0, 0] for share in (0.5, -0.5))
    assert warm[0] > warm[2] and cold[2] > cold[0]


def test_masks_stand_side_by_side_with_the_picture(context):
    sheet = run_method(context, "concept_vectors", concept="warm", show="masks", **RUN)[LAYER].data[0]
    columns = [GAP + column * (TILE + GAP) for column in range(4)]
    picture, alone, few, together = (sheet[GAP : GAP + TILE, left : left + TILE] for left in columns)
    spots = {"red": (4, 4), "green": (10, 10), "blue": (3, 12)}
    at = {name: tuple(int((place + 0.5) * TILE / SIDE) for place in spot) for name, spot in spots.items()}

    def is_lit(tile, name):
        return tile[at[name]].max() > 0.6

    assert [is_lit(together, name) for name in spots] == [True, True, False] == [is_lit(few, name) for name in spots]
    assert sum(is_lit(alone, name) for name in spots) == 1 and all(is_lit(picture, name) for name in spots)
    assert len(sheet) > 3 * TILE  # with pictures of the data set that show it


def test_combinations_are_never_worse_than_the_best_unit_on_the_pictures_that_they_learn_from():
    for epochs in (1, 20):
        scores = learn(random_store(), epochs=epochs).scores
        assert (scores[:, 2] >= scores[:, 0]).all() and (scores[:, 4] >= scores[:, 0]).all()
    assert scores[0, 2] > scores[0, 0] + 0.1


def test_the_descent_is_that_of_the_published_loss(monkeypatch):
    """Plain PyTorch with automatic gradients gives the same weights."""
    store = random_store()
    training = VectorTraining(store, LAYER, np.zeros(5, np.float32), VectorSettings(epochs=3))
    examples = training._examples(1, np.arange(len(store)))
    order = np.random.default_rng(7).permutation(len(store))
    monkeypatch.setattr(training, "_random", type("", (), {"permutation": lambda _, count: order})())
    steps = training._descend(examples, np.ones(5, np.float32))
    with pytest.raises(StopIteration) as stop:
        while True:
            next(steps)
    weights = torch.zeros(5, requires_grad=True)
    descent = torch.optim.SGD([weights], vector_training.RATE, vector_training.MOMENTUM)
    labels = torch.from_numpy(examples.label_masks(np.arange(len(store)))).float()
    alpha = 1 - labels.mean()
    for rows in order.reshape(1, -1).repeat(3, 0).reshape(3, -1):
        for part in (rows[:16], rows[16:]):
            masks = torch.cat([store.masks(LAYER, int(number)) for number in part])
            sums = torch.einsum("nuhw,u->nhw", masks, weights)[:, None]
            found = torch.sigmoid(F.interpolate(sums, size=(12, 12), mode="bilinear")[:, 0])
            own = labels[part.tolist()]
            gain = alpha * found * own + (1 - alpha) * (1 - found) * (1 - own)
            loss = -gain.sum() / len(part) * vector_training.RATE_PIXELS / 144
            descent.zero_grad()
            loss.backward()
            descent.step()
    assert np.allclose(stop.value.value, weights.detach().numpy(), rtol=1e-3, atol=1e-5)


def test_the_probe_tells_pictures_apart():
    store, random = MaskStore(Squares(), [LAYER]), np.random.default_rng(0)
    for number in range(40):
        masks = np.zeros((1, 2, 4, 4), bool)
        masks[0, 0, 1, 1], masks[0, 1] = number % 2, random.random((4, 4)) < 0.3
        labels = np.full((1, 1, 4, 4), 2)
        labels[0, 0, 1, 1] = 1 if number % 2 else 2
        store.add({LAYER: masks}, PixelLabels(labels.astype(np.int32), np.zeros((1, 0), np.int32)))
    assert learn(store, epochs=2).scores[:, 6] == pytest.approx([1.0, np.nan], nan_ok=True)


def test_labels_of_whole_pictures_count():
    store = MaskStore(Squares(), [LAYER])
    for number in range(20):
        masks = np.full((1, 2, 4, 4), [[[number % 2]], [[0]]], bool)
        whole = np.array([[1 if number % 2 else 2]], np.int32)
        store.add({LAYER: masks}, PixelLabels(np.zeros((1, 1, 4, 4), np.int32), whole))
    found = learn(store, epochs=2)
    assert found.scores[found.place("warm"), :4].tolist() == [1.0] * 4


def test_sums_of_concepts_are_sums_of_their_directions():
    known = vectors_of([[2, 0, 0], [0, 5, 0], [1, 1, 0], [0, 0, 1]], ("a", "b", "a - like", "d"))
    assert known.parse("a + b - d") == [(1, 0), (1, 1), (-1, 3)]
    assert known.parse(" a - like ") == [(1, 2)]  # a name, not a difference
    assert known.combine(known.parse("a + b")) == pytest.approx([1, 1, 0])
    assert known.combine(known.parse("a")) == pytest.approx([2, 0, 0])  # its own vector, for its mask
    [(place, cosine), *_] = known.nearest_concepts(known.combine(known.parse("a + b")), (0, 1))
    assert place == 2 and cosine == pytest.approx(1.0)
    bars, near, _, matrix = vector_charts(known, known.parse("a + b"), "a + b", 8)
    assert near.rows[0] == "a - like" and "a" not in near.rows and bars.title == "weights of a + b in units"
    assert matrix.rows[0] == "a - like" and matrix.values[0][0] == 1.0


def test_concepts_that_their_vectors_do_not_find_are_no_neighbours():
    known = vectors_of([[1, 0], [1, 0.1], [0, 1]])
    known.scores[1] = 0.01
    assert [place for place, _ in known.nearest_concepts(known.weights[0])] == [0, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ringg", "has no vector of concept 'ringg'; did you mean ring"),
        ("ring + ", "has no vector of concept 'ring +'"),
        ("ring + moon", "has no vector of concept 'moon'"),
    ],
)
def test_unknown_concepts_are_one_line(text, said):
    with pytest.raises(InputError) as error:
        vectors_of([[1, 0], [0, 1]], ("ring", "star")).parse(text)
    assert said in str(error.value) and "\n" not in str(error.value)


def write_folder(folder, vectors=None):
    (folder / "summary.json").write_text(json.dumps({"layers": [{"layer": LAYER, "table": "u.csv"}]}))
    if vectors is not None:
        write_vectors(folder, "u", vectors)
    return str(folder)


def test_a_folder_gives_what_was_written(tmp_path, context):
    known = vectors_of([[1, 0.5, -2, 0], [0, 0, 1, 0]], ("warm", "blue thing"))
    folder = write_folder(tmp_path, known)
    [found] = read_vectors(folder, {LAYER: 4}).values()
    assert found.concepts == known.concepts and np.array_equal(found.weights, known.weights)
    assert (tmp_path / "u.vectors.csv").read_text().splitlines()[1].startswith("warm,colour,2,0.5,")
    maps = run_method(replace(context, data=None), "concept_vectors", concept="warm", dissected=folder)[LAYER]
    assert maps.labels == ("+1.00", "+0.50", "-2.00 best alone", "") and maps.extras[CATEGORY].tolist() == [2, 2, 1, 0]


def damaged(path, change):
    arrays, about = open_arrays(path)
    arrays, about = {name: np.array(array) for name, array in arrays.items()}, dict(about)
    change(arrays, about)
    path.write_bytes(b"".join(encode(arrays, about)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda arrays, about: arrays["weights"].fill(np.nan), "damaged"),
        (lambda arrays, about: arrays["best_units"].fill(9), "damaged"),
        (lambda arrays, about: arrays["scores"].fill(7), "damaged"),
        (lambda arrays, about: arrays.pop("few"), "damaged"),
        (lambda arrays, about: arrays.update(few=arrays["few"][:, :2]), "damaged"),
        (lambda arrays, about: arrays.update(scores=arrays["scores"].astype(np.int64)), "damaged"),
        (lambda arrays, about: arrays.update(thresholds=np.zeros(9, np.float32)), "of another network"),
        (lambda arrays, about: about.update(concepts="[[1]]"), "damaged"),
        (lambda arrays, about: about.update(concepts="{"), "damaged"),
        (lambda arrays, about: about.update(concepts=json.dumps([["x" * 999, "y"], ["a", "b"]])), "damaged"),
        (lambda arrays, about: about.clear(), "damaged"),
    ],
)
def test_a_strangers_file_is_one_line(tmp_path, change, said):
    folder = write_folder(tmp_path, vectors_of([[1, 0, 0, 0], [0, 1, 0, 0]], ("a", "b")))
    damaged(tmp_path / f"u{SUFFIX}", change)
    with pytest.raises(InputError, match=said) as error:
        read_vectors(folder, {LAYER: 4})
    assert "\n" not in str(error.value)


def test_files_cut_off_or_missing_are_one_line(tmp_path):
    folder = write_folder(tmp_path)
    with pytest.raises(InputError, match="no concept vectors of units; innerwalk dissect writes them with --vectors"):
        read_vectors(folder, {LAYER: 4})
    (tmp_path / f"u{SUFFIX}").write_bytes(b"\x00" * 100)
    with pytest.raises(InputError, match="damaged"):
        read_vectors(folder, {LAYER: 4})
    with pytest.raises(InputError, match="layer other isn't dissected there"):
        read_vectors(folder, {"other": 4})
    summary = json.loads((tmp_path / "summary.json").read_text())
    (tmp_path / "summary.json").write_text(json.dumps(summary | {"weights": "a"}))
    with pytest.raises(InputError, match="a dissection of other weights"):
        read_vectors(folder, {LAYER: 4}, "b")


def test_data_without_labels_few_pictures_and_several_sizes_are_one_line(context, monkeypatch):
    with pytest.raises(InputError, match="need a data set whose pixels are labelled"):
        run_method(replace(context, data=None), "concept_vectors", concept="warm")
    monkeypatch.setattr(vector_training, "LEAST_TRAINED", 7)
    with pytest.raises(InputError, match="no concept is in 7 pictures for training and 2 others, of 8"):
        run_method(context, "concept_vectors", concept="warm", **{**RUN, "count": 8})
    store = random_store()
    with pytest.raises(InputError, match="different sizes"):
        labels = PixelLabels(np.zeros((1, 1, 12, 12), np.int32), np.zeros((1, 0), np.int32))
        store.add({LAYER: np.zeros((1, 5, 3, 3), bool)}, labels)
