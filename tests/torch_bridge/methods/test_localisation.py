"""CAM, boxes and their accuracy, against plain torch, maps stored by the authors, and known boxes."""

import json
from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)
Image = pytest.importorskip("PIL.Image", reason="needs Pillow")

from torch import nn  # noqa: E402

from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts, data, localise  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing, fit_picture  # noqa: E402
from innerwalk.torch_bridge.method_support.box_accuracy import BoxAccuracy, evaluate_picture  # noqa: E402
from innerwalk.torch_bridge.method_support.cam_head import CamHead, find_head  # noqa: E402
from innerwalk.torch_bridge.method_support.object_finder import THRESHOLD, ObjectFinder  # noqa: E402
from innerwalk.torch_bridge.predictions.boxes import Box, box_in_input, find_box, largest_part  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402


def shipped(layers=("fc",), index=3, **more):
    model, names = concepts.load("object")
    x = torch.from_numpy(concepts.picture(index)).permute(2, 0, 1)[None].float() / 127.5 - 1
    return method_runs.make_context(model, x, layers, class_names=names, **more)


class Ends(nn.Module):
    """Maps, and after their means whatever is wanted."""

    def __init__(self, end, channels=6):
        super().__init__()
        torch.manual_seed(4)
        self.a, self.b, self.end = nn.Conv2d(3, 5, 3, 2), nn.Conv2d(5, channels, 3, padding=1), end

    def forward(self, x):
        return self.end(self.b(self.a(x).relu()))


class Own(nn.Module):
    """A linear layer written by hand, its weights turned round."""

    def __init__(self):
        super().__init__()
        self.turned, self.shift = nn.Parameter(torch.randn(6, 4)), nn.Parameter(torch.randn(4))

    def forward(self, x):
        return x.mean((2, 3)) @ self.turned + self.shift


def linear(*first):
    return nn.Sequential(*first, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))


class Scaled(nn.Module):
    """Scores times a factor."""

    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, x):
        return x * self.factor


class ByItems(torch.autograd.Function):
    """Twice its input; its backward pass reads its gradient as numbers, so it takes one gradient at a time."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, grad):
        return torch.tensor(grad.tolist()) * 2


class Doubled(nn.Module):
    def forward(self, x):
        return ByItems.apply(x)


def norm(features):
    layer = nn.BatchNorm1d(features)
    for values in (layer.running_mean, layer.running_var, layer.weight.data, layer.bias.data):
        nn.init.uniform_(values, 0.3, 3)
    return layer


def normed(last):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), norm(6), last)


ENDS = {
    "linear": (lambda: linear(), "b", "end.2"),
    "linear after a ReLU": (lambda: linear(nn.ReLU()), "end.0", "end.3"),
    "linear, dropout and no bias": (
        lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(6, 4, bias=False)), "b",
        "end.3",
    ),
    "a convolution after the means": (
        lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 4, 1), nn.Flatten()), "b", "end.1",
    ),
    "a convolution before the means": (
        lambda: nn.Sequential(nn.Conv2d(6, 4, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        "end.1", "end.0",
    ),
    "by hand": (Own, "b", "end"),
    "a scale after the linear layer": (lambda: nn.Sequential(linear(), Scaled(7.0)), "b", "end.0.2"),
    "a batch norm between": (lambda: normed(nn.Linear(6, 4)), "b", "end.3"),
    "a batch norm after": (lambda: nn.Sequential(linear(), norm(4)), "b", "end.1"),
    "two linear layers": (lambda: nn.Sequential(linear(), nn.Linear(4, 4)), "b", "end.1"),
    "a function with a backward pass of its own": (
        lambda: nn.Sequential(linear(), Doubled(), nn.Linear(4, 4)), "b", "end.2",
    ),
    "a softmax": (lambda: nn.Sequential(linear(), nn.Softmax(1)), "b", "end.0.2"),
    "scale and sigmoid": (lambda: nn.Sequential(linear(nn.ReLU()), Scaled(0.3), nn.Sigmoid()), "end.0.0", "end.0.3"),
}  # fmt: skip


def before_the_end(model, x):
    """The scores (classes,) of a network, without the softmax or sigmoid that it may end with."""
    parts = model.end if isinstance(model.end, nn.Sequential) else [model.end]
    with torch.no_grad():
        x = model.b(model.a(x).relu())
        for part in parts:
            x = x if isinstance(part, nn.Softmax | nn.Sigmoid) else part(x)
    return x[0].numpy()


@pytest.mark.parametrize("how", ENDS)
def test_the_mean_of_a_map_and_the_bias_are_the_score(how):
    make, averaged, home = ENDS[how]
    torch.manual_seed(1)
    model = Ends(make()).eval()
    x = torch.randn(1, 3, 15, 17, generator=torch.Generator().manual_seed(2)) * 3
    context = method_runs.make_context(
        model, x, [layer.id for layer in method_runs.make_context(model, x, []).network.layers if layer.id != "input"]
    )
    head, scores = find_head(context), before_the_end(model, x)
    assert head.layer == averaged
    found = method_runs.run_method(context, "cam")
    assert list(found) == [home]
    maps = found[home]
    assert maps.frame == "input" and maps.shape == (4, 7, 8)
    assert np.allclose(maps.data.mean((1, 2)) + head.bias.numpy(), scores, atol=1e-5 * np.abs(scores).max())
    assert np.allclose(maps.extras["values"], scores, atol=1e-5)


def test_batched_gradients_of_many_classes_are_the_product_of_the_layers():
    torch.manual_seed(3)
    model = Ends(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5), nn.Linear(5, 70))).eval()
    head = find_head(method_runs.make_context(model, torch.randn(1, 3, 15, 17), ["end.3"]))
    assert head.layer == "b"
    with torch.no_grad():
        assert torch.allclose(head.weight, model.end[3].weight @ model.end[2].weight, atol=1e-6)


def test_cam_by_hand():
    context = shipped()
    model, x = context.model, context.arguments[0]
    with torch.no_grad():
        features = model.stage3(model.stage2(model.stage1(model.stem(x))))[0]
        wanted = torch.einsum("ck,khw->chw", model.fc.weight, features).numpy()
    maps = method_runs.run_method(context, "cam")["fc"]
    assert np.allclose(maps.data, wanted, atol=1e-5) and maps.labels == context.class_names.names
    some = method_runs.run_method(shipped(channels=[4]), "cam")["fc"]
    assert some.channel_numbers == (4,) and np.allclose(some.data, wanted[4:5], atol=1e-5)
    assert some.labels == (context.class_names.names[4],) and some.extras["values"] == maps.extras["values"][4]


@pytest.mark.parametrize(
    "end",
    [
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(6 * 49, 4)),
        lambda: nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 4)),
        lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 4)),
        lambda: normed(nn.Sequential(nn.ReLU(), nn.Linear(6, 4))),
        lambda: nn.Sequential(linear(), nn.LayerNorm(4)),
    ],
)
@pytest.mark.parametrize("method", ["cam", "localisation"])
def test_networks_without_a_cam_head_are_referred_to_grad_cam(end, method):
    torch.manual_seed(0)
    model = Ends(end()).eval()
    context = method_runs.make_context(model, torch.randn(1, 3, 15, 15), ["b"])
    line = "doesn't end with the means of maps and one linear layer.*grad_cam works for any network"
    with pytest.raises(InputError, match=line):
        method_runs.run_method(context, method)
    assert method_runs.run_method(context, "grad_cam")["b"].shape == (1, 15, 15)


def test_maps_are_drawn_on_the_layer_of_the_classes():
    for method in ("cam", "localisation"):
        with pytest.raises(InputError, match="drawn on the layer of the classes, fc; ask for that one"):
            method_runs.run_method(shipped(["stem.norm"]), method)


def test_stored_maps_of_the_authors(data_folder):
    from innerwalk.torch_bridge.recording.safetensors import open_arrays

    stored, _ = open_arrays(data_folder / "cam_googlenet_reference" / "googlenet_cam_img1.safetensors")
    features = torch.from_numpy(np.array(stored["activation_lastconv_N_C_H_W"], np.float32))
    weights = torch.from_numpy(np.array(stored["weights_LR"], np.float32))
    scores = np.array(stored["scores_N_1000"], np.float32)
    maps = CamHead("features", weights.T, torch.zeros(1000)).maps(features)
    assert np.abs(maps.mean((2, 3)).softmax(1).numpy() - scores).max() <= 1e-3

    class Stored(nn.Module):
        """The end of the authors' network, before it its stored maps."""

        def __init__(self, crop):
            super().__init__()
            self.pass_on, self.crop = nn.Conv2d(3, 1024, 1), crop
            self.weight = nn.Parameter(weights)

        def forward(self, x):
            return (self.pass_on(x) * 0 + features[self.crop]).mean((2, 3)) @ self.weight

    names = json.loads((data_folder / "cam_googlenet_reference" / "categories1000.json").read_text())
    model = Stored(0).eval()
    context = method_runs.make_context(model, torch.zeros(1, 3, 14, 14), [":matmul"], class_names=names)
    found = method_runs.run_method(context, "cam")[":matmul"]
    assert np.abs(found.data - maps[0].numpy()).max() <= 1e-3
    assert np.abs(np.exp(found.data.mean((1, 2))) / np.exp(found.data.mean((1, 2))).sum() - scores[0]).max() <= 1e-3
    assert names[int(found.extras["values"].argmax())].split()[1] in ("cup", "espresso", "eggnog")


# Boxes


def test_the_largest_part_touches_by_edges():
    drawn = ["##..#", ".#..#", "..#.#", ".##..", "....#"]
    mask = np.array([[sign == "#" for sign in row] for row in drawn])
    assert np.argwhere(largest_part(mask)).tolist() == [[0, 0], [0, 1], [1, 1]]  # the first of three
    mask[2, 1] = True
    assert largest_part(mask).sum() == 7 and not largest_part(np.zeros((3, 3), bool)).any()
    spiral = ["#####", "....#", "###.#", "#...#", "#####"]
    mask = np.array([[sign == "#" for sign in row] for row in spiral])
    assert np.array_equal(largest_part(mask), mask)


def test_the_largest_part_against_a_flood():
    rng = np.random.default_rng(3)
    for _ in range(50):
        mask = rng.random((9, 11)) < 0.55
        parts, left = [], {tuple(place) for place in np.argwhere(mask).tolist()}
        while left:
            part, front = set(), {min(left)}
            while front:
                part |= front
                near = {(y + dy, x + dx) for y, x in front for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0))}
                front = (near & left) - part
            left -= part
            parts.append(part)
        assert largest_part(mask).sum() == max(map(len, parts))
        assert {tuple(place) for place in np.argwhere(largest_part(mask)).tolist()} in parts


def test_a_box_is_tight():
    values = np.zeros((10, 20))
    values[2:5, 4:9], values[8, 18], values[3, 5] = 0.6, 0.9, 1.0
    assert find_box(values, 0.5) == Box(0.2, 0.2, 0.45, 0.5)
    assert find_box(values, 0.95) == Box(0.25, 0.3, 0.3, 0.4)
    assert find_box(-values, 0.5) is None and find_box(np.full((2, 2), np.nan), 0.5) is None


def test_overlap():
    box = Box(0, 0, 0.5, 0.5)
    assert box.overlap(box) == 1 and box.overlap(Box(0.5, 0, 1, 1)) == 0
    assert box.overlap(Box(0.25, 0, 0.75, 0.5)) == pytest.approx(1 / 3)
    assert box.contains(0.49, 0) and not box.contains(0.5, 0)


@pytest.mark.parametrize("stretch", [False, True])
def test_a_box_goes_where_its_pixels_go(stretch):
    picture = np.zeros((60, 90, 3), np.uint8)
    picture[12:40, 30:66] = 255
    how = Preprocessing(size=(50, 40), crop=0.8, stretch=stretch)
    seen = np.asarray(fit_picture(Image.fromarray(picture), how)).max(2) > 127
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    wanted = columns[0] / 40, rows[0] / 50, (columns[-1] + 1) / 40, (rows[-1] + 1) / 50
    found = box_in_input(Box(30 / 90, 12 / 60, 66 / 90, 40 / 60), 90, 60, how)
    assert np.allclose(found, wanted, atol=0.03)
    assert box_in_input(Box(0, 0, 1, 1), 90, 60, how) == Box(0, 0, 1, 1)


# Localisation


def test_boxes_are_drawn_on_the_input():
    context = shipped(index=2)
    maps = method_runs.run_method(context, "localisation")["fc"]
    sample = concepts.sample(0, 1, 2, task="object")
    ((channel, *ends, chance),) = maps.extras["boxes"]
    scores = context.model(context.arguments[0])[0].detach().numpy()
    best = int(scores.argmax())
    assert channel == best and maps.shape == (1, 64, 64) and maps.frame == "input"
    assert maps.channel_numbers == (best,) and maps.extras["values"] == pytest.approx(scores[best], abs=1e-5)
    assert chance == pytest.approx(context.model(context.arguments[0]).softmax(1)[0, best].item(), abs=1e-5)
    truth = next(box for box in sample.boxes if box.concept == best + 1)
    assert Box(*ends).overlap(Box(*(end / 64 for end in truth[1:]))) > 0.5
    assert find_box(maps.data[0], THRESHOLD) == pytest.approx(tuple(ends))
    three = method_runs.run_method(context, "localisation", classes=3)["fc"].extras["boxes"]
    assert three[:, 0].tolist() == np.argsort(-scores)[:3].tolist()
    assert method_runs.run_method(context, "localisation", of_class=4)["fc"].extras["boxes"][:, 0].tolist() in ([4], [])
    wide = method_runs.run_method(context, "localisation", threshold=0.05)["fc"].extras["boxes"][0]
    assert Box(*wide[1:5]).area > 1.2 * Box(*ends).area


@cache
def scored() -> BoxAccuracy:
    """300 pictures of the validation split, where none is left out."""
    finder, objects = ObjectFinder(shipped(), THRESHOLD), data.open_data("concepts:object")
    return BoxAccuracy(tuple(evaluate_picture(finder, objects, index) for index in range(300)), objects.classes)


def test_most_boxes_are_right():
    score = scored()
    assert (
        len(score.results) == 300
        and score.correct >= 0.9
        and score.peak_inside >= 0.95
        and score.correct_and_named >= 0.9
    )
    assert score.overlap > 0.6


def test_the_papers_threshold_finds_fewer_boxes():
    finder, objects = ObjectFinder(shipped(), 0.2), data.open_data("concepts:object")
    low = BoxAccuracy(tuple(evaluate_picture(finder, objects, index) for index in range(60)), objects.classes)
    assert low.correct < 0.6 < BoxAccuracy(scored().results[:60], objects.classes).correct


def test_failures_are_listed_worst_first():
    score = scored()
    worst = score.failures()
    assert worst and all(result.overlap < 0.5 for result in worst)
    assert [result.overlap for result in worst] == sorted(result.overlap for result in worst)
    assert len(worst) == round((1 - score.correct) * 300)
    lines = score.table(3).splitlines()
    assert lines[0].startswith("class") and lines[1].startswith("circle") and lines[7].startswith("all")
    assert (
        lines[7].split()[1:3] == ["300", f"{score.correct:.1%}"]
        and lines[8] == f"{len(worst)} boxes are wrong, the worst:"
    )
    assert (
        lines[9:] == [result.describe(score.classes) for result in worst[:3]]
        and f"picture {worst[0].index}: " in lines[9]
    )


def test_scores_are_shown_by_class(tmp_path):
    objects = data.open_data("concepts:object")
    context = shipped(data=objects)
    steps = method_runs.method_steps(context, "localisation_scores", count=30, seed=3)
    maps = steps[-1].maps[0]
    finder = ObjectFinder(context, THRESHOLD)
    wanted = BoxAccuracy(
        tuple(evaluate_picture(finder, objects, k) for k in data.random_indices(objects, 30, 3)), objects.classes
    )
    assert maps.colour and maps.layer == "fc" and maps.extras["samples"].tolist() == [2, 2]
    assert np.allclose(maps.extras["values"], [wanted.of_class(k).correct for k in range(6)])
    assert maps.labels[2].startswith(
        f"triangle: {wanted.of_class(2).correct:.0%} of {len(wanted.of_class(2).results)} right"
    )
    assert steps[-1].message.startswith(f"30 of 30: {wanted.correct:.1%} of boxes right")
    green = (maps.data[2, :128, :128] * 255).round() == (40, 220, 90)
    rows, columns = np.flatnonzero(green.all(2).any(1)), np.flatnonzero(green.all(2).any(0))
    truth = min(wanted.of_class(2).results, key=lambda result: (result.overlap, result.index)).truth
    ends = truth.x0 * 128, truth.y0 * 128, truth.x1 * 128 - 1, truth.y1 * 128 - 1
    assert np.allclose((columns[0], rows[0], columns[-1], rows[-1]), ends, atol=3)


def test_without_boxes_there_is_no_score(tmp_path):
    with pytest.raises(InputError, match="needs a data set with boxes; concepts:object has them"):
        method_runs.run_method(shipped(), "localisation_scores")
    with pytest.raises(InputError, match="concepts pair has no boxes"):
        method_runs.run_method(shipped(data=data.open_data("concepts:pair")), "localisation_scores")
    other = method_runs.make_context(
        Ends(linear()).eval(), torch.randn(1, 3, 64, 64), ["end.2"], data=data.open_data("concepts:object")
    )
    with pytest.raises(InputError, match="has 6 classes, the network 4"):
        method_runs.run_method(other, "localisation_scores")


def test_a_data_set_knows_its_boxes(tmp_path):
    objects = data.open_data("concepts:object")
    ((label, box),) = objects.boxes(17)
    sample = concepts.sample(0, 1, 17, task="object")
    assert label == objects.label(17) == sample.label and np.allclose(np.array(box) * 64, sample.boxes[0][1:])
    inside = sample.maps[1] == label + 1
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    assert np.allclose(np.array(box) * 64, (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    with pytest.raises(InputError, match="there is no picture 2000"):
        objects.boxes(2000)
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    assert data.open_data(str(tmp_path)).boxes(0) == ()


# A film, and the command line


@pytest.fixture
def film(tmp_path):
    """Twelve frames: a square that moves to the right, of a picture the network knows."""
    av = pytest.importorskip("av", reason="films need PyAV")
    path, sample = tmp_path / "walk.mkv", concepts.sample(0, 1, 1, task="object")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "bgr0"
        for k in range(12):
            frame = av.VideoFrame.from_ndarray(np.roll(sample.image, 2 * (k - 6), 1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path, sample


def test_an_object_is_followed_through_a_film(film, tmp_path, capsys):
    path, sample = film
    arguments = ["object", "--film", str(path), "--count", "50", "--pictures", str(tmp_path / "out")]
    assert localise.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12 and lines[3].split()[:3] == ["3", "0.30", "s"]
    finder = localise.build_finder("object")
    seen = list(localise.follow_video(finder, str(path), 50))
    box, hits = sample.boxes[0], 0
    for k, sighting in enumerate(seen):
        truth = Box((box.x0 + 2 * (k - 6)) / 64, box.y0 / 64, (box.x1 + 2 * (k - 6)) / 64, box.y1 / 64)
        assert sighting.frame.number == k
        hits += sighting.detection.class_.name == "square" and sighting.detection.box.overlap(truth) > 0.5
    assert hits >= 8, "it moves out of the picture in some"
    middles = [sighting.detection.box.x0 + sighting.detection.box.x1 for sighting in seen[3:9]]
    assert middles == sorted(middles)
    assert localise.frame_line(seen[5]) == lines[5]
    assert len(list((tmp_path / "out").glob("*.png"))) == 12
    drawn = np.asarray(Image.open(tmp_path / "out" / "000006.png"))
    assert drawn.shape == (128, 128, 3) and (drawn == (255, 60, 60)).all(2).sum() > 50


def test_the_table_is_printed(capsys):
    assert localise.main(["object", "--count", "12"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("class ") and "\nall " in out and "boxes are wrong" in out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["object", "--data", "concepts:pair"], "has no boxes"),
        (["object", "--film", "nowhere.mp4"], "no such file"),
        (["object", "--data", "nowhere"], "no such folder or file"),
    ],
)
def test_the_command_line_says_one_line(arguments, line, capsys):
    assert localise.main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("localise: ") and line in err and err.count("\n") == 1


def test_a_bird_on_a_photograph(data_folder):
    from innerwalk.torch_bridge.models.torchvision_import import import_torchvision
    from innerwalk.torch_bridge.server.in_process import denormals_restored
    from innerwalk.torch_bridge.server.loaded_model import LoadedModel
    from innerwalk.torch_bridge.server.priority_lock import PriorityLock
    from innerwalk.torch_bridge.subject import RecordSpec

    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")
    photograph = data_folder / "coral_images" / "bird_segmentation.jpg"
    weights = data_folder / "weights" / "mobilenet_v2_imagenet.safetensors"
    spec = RecordSpec("mobilenet_v2", weights=str(weights), inputs=(str(photograph),))
    live = LoadedModel("bird", spec, torch.device("cpu"), PriorityLock())
    with denormals_restored():
        live.record(live.read(live.default_sources), (), lambda maps: None)
    place = (
        ObjectFinder(live.method_context(live.run_context, (), None, ()), THRESHOLD)
        .run_input(live.method_context(live.run_context, (), None, ()).arguments)
        .detect()
    )
    with Image.open(data_folder / "coral_images" / "bird_segmentation_mask.png") as opened:
        rows, columns = np.nonzero(np.asarray(opened) == 3)
    box = Box(columns.min() / 513, rows.min() / 513, (columns.max() + 1) / 513, (rows.max() + 1) / 513)
    truth = box_in_input(box, 513, 513, live.subject.adapter.preprocessing)
    assert truth.contains(*place.peak) and place.box.overlap(truth) > 0.5
