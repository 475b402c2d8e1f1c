"""The best pictures of channels, against runs on single pictures, and for pictures planted by the test."""

import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from PIL import Image  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.tests.support.method_runs import Pictures  # noqa: E402
from innerwalk.torch_bridge import concepts, data  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.method_support.data_set_pass import DataSetBatch, DataSetPass  # noqa: E402
from innerwalk.torch_bridge.method_support.top_images_collector import TopImagesCollector  # noqa: E402
from innerwalk.torch_bridge.method_support.top_images_pass import TopImagesParameters, TopImagesPass  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS, parse_parameters  # noqa: E402
from innerwalk.torch_bridge.probing.crops import (  # noqa: E402
    DARK_FACTOR,
    OUTLINE_COLOUR,
    PADDING_GREY,
    CropFrame,
    crop_picture,
    overlay_maps,
    shade_outside,
)
from innerwalk.torch_bridge.probing.receptive_field import ReceptiveFields  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402

PLAIN = Preprocessing(size=(16, 16), mean=(0.0,), std=(1.0,))


def noise(count: int, size=(16, 16), seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 60, (count, *size, 3), np.uint8))


def crosses() -> tuple[nn.Module, np.ndarray]:
    """A layer whose channel 0 answers to a bright cross, and channel 1 to its negative."""
    shape = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8) * 255
    conv = nn.Conv2d(3, 2, 3, padding=1, bias=False)
    with torch.no_grad():
        conv.weight[:] = torch.tensor([1.0, -1.0])[:, None, None, None] * (torch.from_numpy(shape / 255.0) - 0.5)
    return nn.Sequential(conv).eval(), np.repeat(shape[:, :, None], 3, 2)


def test_a_planted_picture_ranks_first_and_is_cut_out():
    model, cross = crosses()
    pictures = noise(30)
    pictures[17][4:7, 9:12] = cross
    pictures[5] = pictures[17].copy()
    context = method_runs.make_context(
        model, torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN, data=Pictures(pictures)
    )
    maps = method_runs.run_method(context, "top_images", best=4, outside="plain", count=30)["0"]
    assert maps.extras["samples"].tolist() == [2, 2] and maps.colour and maps.frame == "layer"
    assert maps.labels[0] == "made 5"
    assert maps.extras["values"][0] == pytest.approx(7.5)
    side = (maps.shape[1] - 2) // 2
    assert side == 33
    first, second = maps.data[0, :side, :side], maps.data[0, :side, side + 2 :]
    assert np.array_equal(first, np.kron(cross, np.ones((11, 11, 1))) / 255) and np.array_equal(first, second)
    assert not np.array_equal(first, maps.data[0, side + 2 :, :side])
    assert (maps.data[:, side : side + 2] == 0).all()


@pytest.mark.parametrize("score", ["max", "mean"])
def test_ranks_equal_those_of_running_each_picture_alone(score):
    model, names = concepts.load("object")
    objects = data.open_data("concepts:object")
    layers = ["stage1.0.norm1", "stage2.1:add", "fc"]
    context = method_runs.make_context(model, torch.zeros(1, 3, 64, 64), layers, data=objects, class_names=names)
    images_pass = TopImagesPass(
        DataSetPass(context, layers, "top_images"), TopImagesParameters(count=45, best=5, score=score, seed=3)
    )
    list(images_pass.run("top_images"))
    indices = data.random_indices(objects, 45, 3)
    alone = [context.record(context.arguments_from_picture(objects.picture(index)), layers) for index in indices]
    for id, collector in images_pass.collectors.items():
        values = np.stack([recording.maps(id).data for recording in alone]).astype(np.float64)
        scores = values.max((2, 3)) if score == "max" else values.mean((2, 3))
        order = np.argsort(-scores, 0, "stable")[:5].T
        assert np.allclose(collector.best.values, np.take_along_axis(scores.T, order, 1), rtol=1e-4, atol=1e-5)
        same = collector.best.pictures == np.array(indices)[order]
        assert same.mean() > 0.99
        flat = values.reshape(*values.shape[:2], -1)
        rows, columns = np.nonzero(same)
        places = collector.best.positions[rows, columns]
        found = flat[order[rows, columns], rows, places[:, 0] * values.shape[3] + places[:, 1]]
        assert np.allclose(found, flat[order[rows, columns], rows].max(1), rtol=1e-4, atol=1e-5)


def test_parts_of_the_data_merge_to_the_result_of_one_pass():
    model, _ = concepts.load("object")
    objects = data.open_data("concepts:object")
    context = method_runs.make_context(model, torch.zeros(1, 3, 64, 64), ["stage1.0.norm1"], data=objects)
    indices = data.random_indices(objects, 60, 0)

    def pass_over(part):
        collector = TopImagesCollector("stage1.0.norm1", range(24), 24, 3)
        data_set_pass = DataSetPass(context, context.layers, "top_images")
        data_set_pass.batch_size = 1  # a picture alone, so that its last bits don't depend on those beside it
        for batch in data_set_pass.batches(part):
            everything = np.broadcast_to(
                np.array([0, 0, 64, 64], np.int32), (1, *batch.maps[collector.layer].shape[2:], 4)
            )
            collector.add(batch, CropFrame(ReceptiveFields(everything, (64, 64)), whole_picture=True))
        return collector

    whole, *parts = pass_over(indices), pass_over(indices[40:]), pass_over(indices[:13]), pass_over(indices[13:40])
    best, counted = parts[0].best, parts[0].histogram
    for other in parts[1:]:
        best, counted = best.merged(other.best), counted.merged(other.histogram)
    assert all(np.array_equal(getattr(best, name), getattr(whole.best, name)) for name in vars(best))
    assert np.array_equal(counted.counts, whole.histogram.counts)


def test_one_pass_opens_each_picture_once_and_runs_the_network_once():
    model, _ = crosses()
    pictures = Pictures(noise(300))
    context = method_runs.make_context(model, torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN, data=pictures)
    pictures.opened.clear()
    ran = []
    model[0].register_forward_hook(lambda module, args, output: ran.append(len(args[0])))
    found = method_runs.method_steps(context, "top_images", count=300)
    opened = sorted(pictures.opened)
    assert opened == [0, *range(300)]  # the first one also says what the network is given
    assert sum(ran) == 300 + 4  # four show what each place sees
    partial = [step for step in found if step.maps]
    assert len(partial) == 2 and 0.8 < partial[0].share < 1.0 and partial[1].message == "300 of 300 pictures of made"
    assert not np.array_equal(partial[0].maps[0].texels, partial[1].maps[0].texels)


def test_memory_does_not_grow_with_the_pictures():
    model, _ = crosses()
    held = []
    for count in (40, 160):
        context = method_runs.make_context(
            model, torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN, data=Pictures(noise(count))
        )
        images_pass = TopImagesPass(DataSetPass(context, ["0"], "top_images"), TopImagesParameters(count=count))
        list(images_pass.run("top_images"))
        collector = images_pass.collectors["0"]
        arrays = [collector.crops, collector.maps, collector.histogram.counts, *vars(collector.best).values()]
        held.append([array.nbytes for array in arrays])
    assert held[0] == held[1]


def test_only_selected_channels_are_computed():
    model, _ = concepts.load("object")
    objects = data.open_data("concepts:object")
    work = method_runs.make_context(model, torch.zeros(1, 3, 64, 64), ["stage3.1:add"], data=objects)
    some = method_runs.make_context(model, torch.zeros(1, 3, 64, 64), ["stage3.1:add"], channels=(70, 4), data=objects)
    full, few = (
        method_runs.run_method(context, "top_images", count=40, best=2)["stage3.1:add"] for context in (work, some)
    )
    assert few.channel_numbers == (70, 4) and few.shape[1] >= full.shape[1]
    assert few.labels == (full.labels[70], full.labels[4]) and few.extras["values"][1] == full.extras["values"][4]
    if few.shape == full.shape:
        assert np.array_equal(few.texels, full.texels[[70, 4]])
    with pytest.raises(InputError, match="channels 0 to 71; there is no channel 72"):
        method_runs.run_method(
            method_runs.make_context(model, torch.zeros(1, 3, 64, 64), ["stage3.1:add"], (72,), data=objects),
            "top_images",
        )


def test_labels_say_the_class_and_how_many_share_it():
    model, names = concepts.load("object")
    objects = data.open_data("concepts:object")
    context = method_runs.make_context(model, torch.zeros(1, 3, 64, 64), ["fc"], data=objects, class_names=names)
    maps = method_runs.run_method(context, "top_images", count=200, shown="picture")["fc"]
    assert [label.partition(",")[0] for label in maps.labels] == list(names)
    assert min(int(label.split()[1]) for label in maps.labels) >= 8
    assert maps.shape[1:] == (3 * 64 + 4,) * 2  # whole pictures, as large as they are


def test_a_picture_that_cannot_be_read_is_left_out():
    model, cross = crosses()
    pictures = noise(12)
    pictures[3] = None
    pictures[0] = None
    context = method_runs.make_context(
        model, torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN, data=Pictures(pictures)
    )
    assert method_runs.method_steps(context, "top_images")[-1].message == "12 of 12 pictures of made; 2 can't be read"
    context = method_runs.make_context(
        model, torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN, data=Pictures([None] * 3)
    )
    with pytest.raises(InputError, match="picture 2: damaged"):
        method_runs.method_steps(context, "top_images")


def test_without_data_it_says_what_is_missing():
    context = method_runs.make_context(crosses()[0], torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN)
    with pytest.raises(InputError, match="top_images needs a data set; choose one"):
        method_runs.method_steps(context, "top_images")


class OneAtATime(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        return self.conv(x.reshape(3, 16, 16))


class Full(nn.Module):
    """Has no room for more than three pictures."""

    def __init__(self):
        super().__init__()
        self.conv, self.sizes = nn.Conv2d(3, 2, 3), []

    def forward(self, x):
        self.sizes.append(len(x))
        if len(x) > 3:
            raise torch.OutOfMemoryError("out of memory")
        return self.conv(x)


class Broken(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.ran = nn.Conv2d(3, 2, 3), itertools.count(1)

    def forward(self, x):
        if next(self.ran) > 4:
            raise RuntimeError("no more")
        return self.conv(x)


@pytest.mark.parametrize("kind", [OneAtATime, Full])
def test_networks_that_take_few_pictures_at_once_get_few_pictures(kind):
    torch.manual_seed(0)
    model = kind().eval()
    pictures = noise(20)
    context = method_runs.make_context(
        model, torch.zeros(1, 3, 16, 16), ["conv"], preprocessing=PLAIN, data=Pictures(pictures)
    )
    images_pass = TopImagesPass(DataSetPass(context, ["conv"], "top_images"), TopImagesParameters(count=20, best=3))
    list(images_pass.run("top_images"))
    with torch.no_grad():
        values = [
            float(model.conv(context.arguments_from_picture(Image.fromarray(picture))[0])[0, 1].max())
            for picture in pictures
        ]
    assert (
        images_pass.collectors["conv"].best.pictures[1].tolist()
        == np.argsort(-np.array(values), kind="stable")[:3].tolist()
    )
    if kind is Full:
        assert model.sizes[2] == 20 and max(model.sizes[3:]) <= 10 and model.sizes.count(2) >= 9


def test_a_failing_network_is_a_one_line_error():
    context = method_runs.make_context(
        Broken().eval(), torch.zeros(1, 3, 16, 16), ["conv"], preprocessing=PLAIN, data=Pictures(noise(70))
    )
    with pytest.raises(ModelError, match="no more"):
        method_runs.method_steps(context, "top_images")


def test_a_network_of_vectors_gets_vectors():
    model = nn.Sequential(nn.Linear(3 * 16 * 16, 4)).eval()
    context = method_runs.make_context(model, torch.zeros(1, 768), ["0"], preprocessing=PLAIN, data=Pictures(noise(6)))
    convert = context.arguments_from_picture
    object.__setattr__(context, "arguments_from_picture", lambda picture: (convert(picture)[0].flatten(1),))
    maps = method_runs.run_method(context, "top_images", best=1, outside="plain")["0"]
    values = torch.stack(
        [model(context.arguments_from_picture(Image.fromarray(picture))[0])[0] for picture in context.data.pictures]
    ).detach()
    assert np.allclose(maps.extras["values"], values.max(0).values)
    shown = maps.data[2] * 255
    assert np.array_equal(shown[::2, ::2].round(), context.data.pictures[int(values[:, 2].argmax())])


def test_leaving_early_leaves_the_network_alone():
    model, _ = crosses()
    context = method_runs.make_context(
        model, torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN, data=Pictures(noise(64))
    )
    running = METHODS["top_images"].run(context, parse_parameters(METHODS["top_images"], {}))
    for _ in range(7):
        next(running)
    running.close()
    assert not model[0]._forward_hooks


# Shots


def test_a_field_that_goes_beyond_the_edge_is_grey_there():
    picture = Image.fromarray(np.full((8, 8, 3), 200, np.uint8))
    shot = crop_picture(picture, (-2, 5, 4, 4), (16, 16))
    assert (shot[:8] == PADDING_GREY).all() and (shot[8:, 12:] == PADDING_GREY).all() and (shot[8:, :12] == 200).all()
    assert (crop_picture(picture, (20, 20, 4, 4), (4, 4)) == PADDING_GREY).all()


def test_parts_are_the_fields_with_what_was_cut_off():
    rows = [[0, 0, 3, 3], [1, 0, 6, 3], [4, 0, 8, 3]]
    fields = ReceptiveFields(np.array([[[row] for row in rows]], np.int32), (8, 3))
    parts = CropFrame(fields, False).parts(np.zeros(3, int), np.array([[0, 0], [1, 0], [2, 0]]))
    assert parts.tolist() == [[-2, 0, 5, 3], [1, 0, 5, 3], [4, 0, 5, 3]]
    assert CropFrame(fields, True).parts(np.zeros(1, int), np.zeros((1, 2), int)).tolist() == [[0, 0, 8, 3]]
    assert CropFrame(fields, False).size(96) == (35, 21) and CropFrame(fields, False).size(4) == (4, 2)


def test_a_map_lies_over_the_pixels_of_its_positions():
    starts = np.arange(4) * 4
    boxes = np.stack(np.broadcast_arrays(starts[:, None], starts, starts[:, None] + 4, starts + 4), -1)
    fields = ReceptiveFields(boxes[None].astype(np.int32), (16, 16))
    maps = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    over = overlay_maps(maps, fields, np.array([[0.0, 0, 16, 16]]), (16, 16))[0]
    rows = np.clip((np.arange(16) - 1.5) / 4, 0, 3)
    assert np.allclose(over, rows[:, None] * 4 + rows, atol=1e-5)
    beyond = overlay_maps(maps, fields, np.array([[-4.0, 8, 8, 8]]), (8, 8))[0]
    assert np.isneginf(beyond[:4]).all() and np.allclose(beyond[4:], over[:4, 8:])


def test_what_is_outside_is_dark_or_has_a_line_around_it():
    shots = np.full((1, 6, 6, 3), 255, np.uint8)
    above = np.zeros((1, 6, 6), bool)
    above[0, :4, 1:5] = True
    dark = shade_outside(shots, above, "dark")[0, ..., 0]
    assert np.allclose(dark[above[0]], 1) and np.allclose(dark[~above[0]], DARK_FACTOR)
    line = (shade_outside(shots, above, "outlined")[0] == OUTLINE_COLOUR).all(-1)
    wanted = np.zeros((6, 6), bool)
    wanted[:4, [1, 4]] = wanted[3, 1:5] = True
    assert np.array_equal(line, wanted)
    assert (shade_outside(shots, above, "plain") == 1).all()


def test_batches_name_their_pictures():
    model, _ = crosses()
    pictures = noise(7)
    context = method_runs.make_context(
        model, torch.zeros(1, 3, 16, 16), ["0"], preprocessing=PLAIN, data=Pictures(pictures)
    )
    batches: list[DataSetBatch] = list(DataSetPass(context, ["0"], "x").batches([4, 1, 6]))
    assert np.concatenate([batch.indices for batch in batches]).tolist() == [4, 1, 6] and batches[-1].done == 3
    assert np.array_equal(batches[0].pictures[0], pictures[4])
    assert torch.equal(batches[0].maps["0"], model(batches[0].inputs).detach())


class Odd(nn.Module):
    """Has no number for dark pictures."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        return self.conv(x / (x.mean((1, 2, 3), keepdim=True) > 0.5))


def test_pictures_with_nan_are_never_the_best():
    pictures = noise(5) + [picture + 190 for picture in noise(2, seed=1)]
    preprocessing = Preprocessing(size=(16, 16), mean=(0.0,), std=(1.0,))
    model = nn.Sequential(nn.Sequential(Odd())).eval()
    model[0][0].conv.weight.data.abs_()
    for kept, wanted in ((pictures, [5, 6]), (pictures[:5], [])):
        context = method_runs.make_context(
            model, torch.ones(1, 3, 16, 16), ["0.0.conv"], preprocessing=preprocessing, data=Pictures(kept)
        )
        images_pass = TopImagesPass(
            DataSetPass(context, context.layers, "top_images"), TopImagesParameters(best=3, score="mean")
        )
        list(images_pass.run("top_images"))
        collector = images_pass.collectors["0.0.conv"]
        assert sorted(collector.best.pictures[0].tolist()) == [*[-1] * (3 - len(wanted)), *wanted]
        maps = collector.to_maps("top_images", 0.9, "dark", context.data)
        assert np.isfinite(maps.texels).all() and bool(maps.labels[0]) == bool(wanted)
