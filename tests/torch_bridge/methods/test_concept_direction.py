"""Concept direction on a network whose first channel is the concept by construction, and on a shipped network."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch import nn  # noqa: E402

from innerwalk.scenes import tables  # noqa: E402
from innerwalk.tests.support import method_runs  # noqa: E402
from innerwalk.torch_bridge import concepts, data  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS, parse_parameters  # noqa: E402
from innerwalk.torch_bridge.recording import Maps  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InnerwalkError, InputError  # noqa: E402

SIDE = 8
PLAIN = Preprocessing(size=(SIDE, SIDE), mean=(0.0,) * 3, std=(1.0,) * 3)
CLASSES = ("reader", "opposite", "other", "blind")
FAST = {"count": 40, "tested": 80, "splits": 100, "steps": 2}


class Planted(nn.Module):
    """Unit 0 fires on red; class "reader" reads it, "opposite" its negative, "other" other units, "blind" nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.units, self.fc = nn.Conv2d(3, 4, 1), nn.Linear(4, len(CLASSES), bias=False)
        with torch.no_grad():
            self.units.weight.zero_()
            self.units.weight[[0, 1, 2, 3], [0, 1, 2, 1], 0, 0] = torch.tensor([1.0, 0.3, 0.3, -0.3])
            self.units.bias.copy_(torch.tensor([-0.5, 0.0, 0.0, 0.3]))
            self.fc.weight.zero_()
            self.fc.weight[:2, 0] = torch.tensor([2.0, -2.0])
            self.fc.weight[2, 1:3] = torch.tensor([1.0, -1.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        units = self.units(x)
        return self.fc(torch.where(units > 0, units, 0.1 * units).mean((2, 3)))


def pictures(count: int, red: bool, seed: int) -> list[np.ndarray]:
    """Green and blue are noise, red is full or missing."""
    drawn = np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3), np.uint8)
    drawn[..., 0] = 255 * red
    return list(drawn)


def red_data(count: int = 60, seed: int = 0) -> method_runs.Pictures:
    """Pictures with and without red, in classes that the network doesn't know."""
    labels = [0] * count + [1] * count
    return method_runs.Pictures(
        [*pictures(count, True, seed), *pictures(count, False, seed + 1)], labels, ("red", "no")
    )


def class_data() -> method_runs.Pictures:
    """Pictures of all four classes of the network, whatever they show, then those with red and without."""
    drawn = [*pictures(40, True, 3), *pictures(40, False, 4)]
    labels = [number % 4 for number in range(80)]
    own = red_data()
    return method_runs.Pictures([*drawn, *own.pictures], [*labels, *(own.labels + 4)], (*CLASSES, "red", "no"))


def context(pictures: data.DataSet | None, layer: str = "units", model: nn.Module | None = None, **more):
    inputs = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    inputs[:, 0, :, : SIDE // 2], inputs[:, 0, :, SIDE // 2 :] = 1.0, 0.0
    return method_runs.make_context(
        (model or Planted()).eval(), inputs, [layer], preprocessing=PLAIN, class_names=CLASSES, data=pictures, **more
    )


def run(pictures: data.DataSet | None, layer: str = "units", model: nn.Module | None = None, **parameters) -> Maps:
    return method_runs.run_method(
        context(pictures, layer, model), "concept_direction", **{"concept": "red", "others": "no", **FAST, **parameters}
    )[layer]


def test_a_planted_unit_is_found_and_its_class_depends_on_it():
    maps = run(class_data(), tested=200)
    direction = maps.extras["direction"]
    assert np.linalg.norm(direction) == pytest.approx(1, abs=1e-6) and direction[0] > 0.99
    accuracy, chance = maps.extras["accuracy:probe"]
    assert accuracy == 1 and chance < 1e-6 and not maps.note
    sensitivity = {name: maps.extras[f"sensitivity:{name}"] for name in CLASSES}
    assert sensitivity["reader"][0] == 1 and sensitivity["opposite"][0] == 0
    for name in ("reader", "opposite"):
        assert sensitivity[name][2] == pytest.approx(1 / 101)
        assert 0.2 < sensitivity[name][1] < 0.8
    assert sensitivity["other"][2] > 0.2
    assert sensitivity["blind"].tolist() == [0, 0, 1]
    assert maps.labels == ("red: 100% classified correctly; score rises for 100% of reader, 0% of opposite",)


def test_the_projection_is_that_of_each_position():
    maps = run(class_data())
    projection, direction = maps.extras["projection"], maps.extras["direction"]
    own = context(None)
    with torch.no_grad():
        units = own.model.units(own.arguments[0])[0].numpy()
    by_hand = np.einsum("chw,c->hw", units, direction)
    assert np.allclose(projection - by_hand, (projection - by_hand)[0, 0], atol=1e-5)
    assert (projection[:, : SIDE // 2] > 0).all() and (projection[:, SIDE // 2 :] < 0).all()


def test_the_sheet_shows_the_projection_in_colours():
    """Warm where the concept is in the current picture, on the left, and cold where it isn't."""
    from innerwalk.torch_bridge.attribution.heat_sheet import GAP, TILE

    sheet = run(class_data()).data[0]
    tile = sheet[GAP : GAP + TILE, GAP : GAP + TILE]
    left, right = tile[:, : TILE // 3].mean((0, 1)), tile[:, -TILE // 3 :].mean((0, 1))
    assert left[0] > left[2] + 0.2 and right[2] > right[0] + 0.2


def test_the_made_picture_is_red_for_red_and_not_for_its_opposite():
    from innerwalk.torch_bridge.attribution.heat_sheet import GAP, TILE

    sheets = [
        run(class_data(), concept=name, others=other, steps=60).data[0]
        for name, other in (("red", "no"), ("no", "red"))
    ]
    red, opposite = (sheet[GAP : GAP + TILE, 2 * GAP + TILE : 2 * GAP + 2 * TILE, 0].mean() for sheet in sheets)
    assert red > opposite + 0.1, (red, opposite)


def test_the_data_furthest_along_and_against(monkeypatch):
    from innerwalk.torch_bridge.methods import concept_direction

    seen = []
    draw = concept_direction.draw_data

    def watch(context, data, layer, probe, indices, names):
        seen.append([int(np.mean(data.pictures[index][..., 0])) for index in indices])
        drawn = draw(context, data, layer, probe, indices, names)
        assert names == [each.name for each in drawn]
        known = [data.classes[data.label(index)] for index in indices]
        assert all(name == own or own not in CLASSES for name, own in zip(names, known, strict=True))
        return drawn

    monkeypatch.setattr(concept_direction, "draw_data", watch)
    run(class_data())
    assert seen == [[255] * 3, [0] * 3]


def test_the_note_says_when_nothing_furthest_along_shows_the_concept():
    """What is labelled red is less red than pictures of other classes."""
    paler = [np.concatenate([picture[..., :1] // 255 * 200, picture[..., 1:]], -1) for picture in pictures(40, True, 0)]
    redder, without = pictures(40, True, 3), pictures(40, False, 1)
    labels = [number % 4 for number in range(40)] + [4] * 40 + [5] * 40
    mixed = method_runs.Pictures([*redder, *paler, *without], labels, (*CLASSES, "red", "no"))
    assert run(mixed, tested=120).note == "none of the 3 pictures furthest along shows red"


def test_a_concept_that_the_layer_does_not_hold():
    """Two kinds of noise: the probe is at chance, no class is more than chance, and the note says so."""
    noise = [*pictures(60, True, 7), *pictures(60, True, 8)]
    own = class_data()
    mixed = method_runs.Pictures(
        [*own.pictures[:80], *noise], [*own.labels[:80].tolist(), *[4] * 60, *[5] * 60], (*CLASSES, "red", "no")
    )
    maps = run(mixed, tested=200)
    assert maps.extras["accuracy:probe"][1] > 0.05
    assert "may be chance: the layer doesn't show the concept" in maps.note
    assert maps.labels[0].endswith("no class depends on it more than on random splits")


def test_too_few_random_splits_for_so_many_classes():
    """The least probability is 1 / 21 here, which is no sign for one of four classes."""
    maps = run(class_data(), tested=200, splits=20)
    assert maps.note == "20 random splits are too few to show that any of 4 classes is no chance; 79 are enough"
    assert run(class_data(), tested=200, splits=79).labels[0].endswith("score rises for 100% of reader, 0% of opposite")


def test_two_folders_without_a_data_set(tmp_path: Path):
    for name, red, seed in (("red", True, 1), ("plain", False, 2)):
        (tmp_path / name).mkdir()
        for number, pixels in enumerate(pictures(30, red, seed)):
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    maps = run(None, concept=str(tmp_path / "red"), others=str(tmp_path / "plain"))
    assert maps.extras["accuracy:probe"][0] == 1 and maps.extras["direction"][0] > 0.99
    assert maps.labels[0].startswith("red: 100% classified correctly; ")
    assert [name for name in maps.extras if name.startswith("sensitivity:")], "classes are those that are predicted"


def test_equal_seeds_give_equal_bits():
    first, again, other = (run(class_data(), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.texels, again.texels) and first.labels == again.labels
    assert all(np.array_equal(first.extras[name], again.extras[name]) for name in first.extras)
    assert not np.array_equal(first.extras["direction"], other.extras["direction"])


def test_selected_channels_alone_make_the_direction():
    own = dataclasses.replace(context(class_data()), channels=(1, 2))
    maps = method_runs.run_method(own, "concept_direction", concept="red", **FAST)["units"]
    assert maps.extras["direction"][[0, 3]].tolist() == [0, 0] and maps.extras["direction"][1:3].any()


@pytest.mark.parametrize("after", [1, 4, 12])
def test_closing_leaves_nothing(after):
    own = context(class_data())
    before = {name: value.clone() for name, value in own.model.state_dict().items()}
    random = torch.get_rng_state()
    steps = METHODS["concept_direction"].run(
        own, parse_parameters(METHODS["concept_direction"], {"concept": "red", **FAST})
    )
    for _ in range(after):
        next(steps)
    steps.close()
    assert all(torch.equal(before[name], value) for name, value in own.model.state_dict().items())
    assert torch.equal(random, torch.get_rng_state())
    assert not any(module._forward_hooks for module in own.model.modules())
    assert all(weight.grad is None for weight in own.model.parameters())


class Picture(nn.Module):
    """Its answer is a picture, which has no classes."""

    def __init__(self) -> None:
        super().__init__()
        self.units = nn.Conv2d(3, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.units(x).relu()


def test_without_classes_the_direction_remains():
    torch.manual_seed(0)
    maps = run(red_data(), model=Picture())
    assert maps.extras["accuracy:probe"][0] == 1
    assert maps.note.startswith("no classes: the network's output has shape") and maps.data.std() > 0.05


class Detached(Planted):
    """Nothing has a gradient to the picture."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.detach())


def test_without_gradients_the_direction_remains():
    maps = run(class_data(), model=Detached().requires_grad_(False))
    reason = "has no gradient to the picture: the network detaches, rounds or converts it; occlusion needs none"
    assert maps.extras["accuracy:probe"][0] == 1
    assert maps.note == f"no classes: units {reason}; no made picture: units {reason}"


class Overflowing(Planted):
    """The gradient of its scores is NaN."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = super().forward(x)
        return scores + (scores - scores).abs().sqrt()


def test_gradients_that_are_not_finite_tell_nothing():
    maps = run(class_data(), model=Overflowing(), steps=0)
    assert maps.note == "no classes: the gradients of classes are not finite; values overflow or are NaN"
    assert not any(name.startswith("sensitivity:") for name in maps.extras)


class Dead(Planted):
    """No score depends on the units."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.units(x).mean((2, 3)) * 0)


def test_scores_that_depend_on_nothing():
    maps = run(class_data(), model=Dead())
    assert maps.note == "no class's score depends on this layer"
    assert all(maps.extras[f"sensitivity:{name}"].tolist() == [0, 0, 1] for name in CLASSES)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"concept": "", "others": ""}, "no concept; name a folder of its pictures"),
        ({"concept": "rde"}, "concept 'rde': no such folder, and made has no such label; did you mean red"),
        ({"concept": "~nobody-of-this-name/x"}, "concept '~nobody-of-this-name/x': no such folder"),
        ({"concept": "x" * 300}, "concept 'xxx"),
        ({"others": "/00"}, "others '/00': no such folder, and made has no such label; name a folder of pictures"),
    ],
)
def test_errors_in_what_is_named(parameters, message):
    with pytest.raises(InputError) as found:
        run(class_data(), **parameters)
    assert str(found.value).startswith(message) and "\n" not in str(found.value)


def test_errors_of_the_pictures(tmp_path: Path):
    few = method_runs.Pictures(pictures(30, True, 0), [0] * 3 + [1] * 27, ("red", "no"))
    with pytest.raises(InputError, match="^red: 3 pictures, but a probe needs at least 10 on each side$"):
        run(few)
    with pytest.raises(InputError, match="no picture in it"):
        run(red_data(), concept=str(tmp_path))
    (tmp_path / "one.png").write_bytes(b"broken")
    with pytest.raises(InputError, match="1 pictures, but a probe needs"):
        run(red_data(), concept=str(tmp_path))
    with pytest.raises(InputError, match="no others; name a folder of pictures without the concept"):
        run(None, concept=str(tmp_path), others="")
    damaged = red_data()
    damaged.pictures = [*damaged.pictures[:5], *[None] * 55, *damaged.pictures[60:]]
    with pytest.raises(InputError, match="^red: 5 pictures, but a probe needs at least 10 on each side$"):
        run(damaged, count=60)


def test_layers_without_a_direction():
    model = Planted()
    with torch.no_grad():
        model.units.weight.zero_()
    with pytest.raises(InputError, match="^layer units has the same values for all pictures"):
        run(class_data(), model=model)
    with pytest.raises(InnerwalkError, match="no layer 'unit'"):
        run(class_data(), layer="unit")


def test_a_label_of_the_shipped_pictures():
    """The shipped network keeps its class's object in the last stage, and its class alone depends on it."""
    model, names = concepts.load("object")
    x = torch.from_numpy(concepts.picture(0)).permute(2, 0, 1)[None].float() / 127.5 - 1
    own = method_runs.make_context(
        model, x, ["stage3.1:add"], class_names=names, data=data.open_data("concepts:object")
    )
    maps = method_runs.run_method(own, "concept_direction", concept="star", **{**FAST, "count": 60, "tested": 120})
    found = maps["stage3.1:add"]
    assert found.extras["accuracy:probe"][0] > 0.95
    share, random_share, chance = found.extras["sensitivity:star"]
    assert share == 1 and random_share < 0.8 and chance < 0.05
    assert found.extras["sensitivity:circle"][0] < 0.5
    assert "\n  star           1.00" in tables.table([found], ())
