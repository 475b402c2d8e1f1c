"""Receptive fields against NaN, gradients and single changed pixels that pass through the network."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.torch_bridge import concepts, record  # noqa: E402
from innerwalk.torch_bridge.probing.dependency_tracking import DependencyTracker  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import PartialForward  # noqa: E402
from innerwalk.torch_bridge.probing.receptive_field import ReceptiveFields, compute_receptive_fields  # noqa: E402


def fields_of(model: nn.Module, picture: torch.Tensor, layers: list[str]) -> dict[str, ReceptiveFields]:
    network = record(model, (picture,), layers=()).network
    shapes = {id: network.layer(id).map_shape for id in layers}
    return compute_receptive_fields(PartialForward(model, layers, (picture,)), lambda plane: (plane,), picture, shapes)


def lit_by_nan(model: nn.Module, picture: torch.Tensor, layer: str) -> np.ndarray:
    """(C, h, w, 4): the first and the last + 1 row and column whose NaN reaches each position; 0 where none does."""
    forward, ends = PartialForward(model, [layer], (picture,)), []
    for axis in (2, 3):
        through = []
        for line in range(picture.shape[axis]):
            changed = picture.clone()
            changed.select(axis, line).fill_(torch.nan)
            with torch.no_grad():
                through.append(forward((changed,)).maps[layer][0].isnan().numpy())
        seen = np.stack(through)
        ends += [seen.argmax(0), np.where(seen.any(0), len(seen) - seen[::-1].argmax(0), 0)]
    return np.stack(ends, -1)[..., [0, 2, 1, 3]]


class Branches(nn.Module):
    """Strides, dilation, groups, pools with and without ceil mode, a residual in place, a joint, functions, padding."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, (5, 3), 2, (1, 2), bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.deep = nn.Conv2d(8, 8, 3, padding=4, dilation=(4, 2), groups=4)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.wide = nn.Conv2d(8, 4, 5, padding="same")
        self.last = nn.Conv2d(12, 6, 3, 2, padding=1, padding_mode="reflect")
        self.up = nn.ConvTranspose2d(6, 5, 4, 3, padding=2, output_padding=1, dilation=2)

    def forward(self, x):
        x = self.relu(self.norm(self.first(x)))
        y = self.deep(x)[:, :, : x.shape[2], : x.shape[3]]
        x = x[:, :, : y.shape[2], : y.shape[3]].clone()
        x += F.relu6(y)
        x = self.pool(F.pad(x, (1, 0, 0, 2)))
        x = torch.cat([x, F.avg_pool2d(self.wide(x), 3, 1, 1)], 1)
        return self.up(self.last(F.hardswish(x)))


@pytest.mark.parametrize("size", [(31, 40), (36, 25)])
def test_fields_are_where_nan_comes_through(size):
    torch.manual_seed(0)
    model, picture = Branches().eval(), torch.rand(1, 3, *size)
    layers = ["norm", "deep", "pool", "wide", "last", "up"]
    for id, found in fields_of(model, picture, layers).items():
        known = lit_by_nan(model, picture, id)
        assert (known[..., 2:] > known[..., :2]).any(), id
        assert np.array_equal(np.broadcast_to(found.boxes, known.shape), known), id


def test_channels_of_a_joint_see_different_parts():
    model = nn.Sequential()
    model.small, model.large = nn.Conv2d(3, 2, 3, padding=1), nn.Conv2d(3, 2, 7, padding=3)
    model.forward = lambda x: torch.cat([model.small(x), model.large(x)], 1)
    found = fields_of(model.eval(), torch.rand(1, 3, 20, 20), [":cat"])[":cat"]
    assert found.sizes.tolist() == [[3, 3]] * 2 + [[7, 7]] * 2
    assert found.box(0, 10, 12) == (9, 11, 12, 14) and found.box(3, 10, 12) == (7, 9, 14, 16)
    assert found.box(3, 0, 19) == (0, 16, 4, 20)


def test_the_gradient_has_the_box_as_its_support():
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 5, 2, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, 1, 2, dilation=2), nn.AvgPool2d(2), nn.Conv2d(6, 4, 3)
    ).eval()  # fmt: skip
    with torch.no_grad():
        for weight in model.parameters():
            weight.abs_()
    picture = torch.rand(1, 3, 44, 37, requires_grad=True)
    forward, boxes = PartialForward(model, ["4"], (picture.detach(),)), fields_of(model, picture.detach(), ["4"])["4"]
    maps = forward((picture,)).maps["4"]
    for y in range(maps.shape[2]):
        for x in range(maps.shape[3]):
            (slope,) = torch.autograd.grad(maps[0, 1, y, x], picture, retain_graph=True)
            rows, columns = (slope[0].abs().amax((0, k)).nonzero().flatten().tolist() for k in (2, 1))
            assert boxes.box(1, y, x) == (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)


@pytest.mark.parametrize(("layer", "y", "x"), [("stage1.1:add", 3, 20), ("stage2.1.norm1", 8, 1)])
def test_pixels_outside_change_nothing_and_the_outermost_inside_do(layer, y, x):
    model, _ = concepts.load("object")
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2)) * 2 - 1
    top, left, bottom, right = fields_of(model, picture, [layer])[layer].box(0, y, x)
    assert 0 < (bottom - top) * (right - left) < 64 * 64
    forward = PartialForward(model, [layer], (picture,))

    def change(rows: slice, columns: slice) -> float:
        other = picture.clone()
        other[:, :, rows, columns] += 50.0
        with torch.no_grad():
            before, after = (forward((changed,)).maps[layer][0, :, y, x] for changed in (picture, other))
        return float((after - before).abs().max())

    everything = slice(None)
    outside = [
        (slice(0, top), everything),
        (slice(bottom, 64), everything),
        (everything, slice(0, left)),
        (everything, slice(right, 64)),
    ]
    assert [change(*part) for part in outside] == [0.0] * 4
    lines = [(slice(top, top + 1), everything), (slice(bottom - 1, bottom), everything)]
    lines += [(everything, slice(left, left + 1)), (everything, slice(right - 1, right))]
    assert min(change(*part) for part in lines) > 0


class Squeezed(nn.Module):
    """A gate of the whole picture on maps that see little."""

    def __init__(self):
        super().__init__()
        self.conv, self.gate, self.fc = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.Linear(4, 2)

    def forward(self, x):
        x = self.conv(x)
        x = x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return self.fc(x.mean((2, 3)))


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.heads = nn.Conv2d(3, 8, 4, 4), nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        x = self.norm(self.conv(x).flatten(2).transpose(1, 2))
        return self.heads(x, x, x)[0]


@pytest.mark.parametrize(
    ("model", "local", "broad"), [(Squeezed(), {"conv": 3}, [":mul", "fc"]), (Attending(), {"norm": 4}, ["heads"])]
)
def test_what_mixes_all_places_sees_everything(model, local, broad):
    found = fields_of(model.eval(), torch.rand(1, 3, 16, 16), [*local, *broad])
    assert all(found[id].sizes.tolist() == [[side, side]] for id, side in local.items())
    assert all((found[id].boxes == [0, 0, 16, 16]).all() for id in broad)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_scripted_parts_are_tracked():
    conv = torch.jit.trace(nn.Conv2d(4, 2, 3, 2), torch.rand(1, 4, 15, 15))
    model, picture = nn.Sequential(nn.Conv2d(3, 4, 3), conv).eval(), torch.rand(1, 3, 17, 17)
    assert fields_of(model, picture, ["1"])["1"].box(0, 2, 3) == (4, 6, 9, 11)


class Choosy(nn.Module):
    """Fails on values outside 0..1."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        if x.min() < 0 or x.max() > 1:
            raise ValueError("not a picture")
        return self.conv(x)


class Elsewhere(nn.Module):
    """Computes outside torch."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        return self.conv(torch.from_numpy(x.detach().numpy().copy()))


@pytest.mark.parametrize("model", [Choosy(), Elsewhere()])
def test_a_layer_that_cannot_be_tracked_sees_everything(model):
    found = fields_of(model.eval(), torch.rand(1, 3, 9, 12), ["conv"])["conv"]
    assert found.boxes.shape == (1, 7, 10, 4) and (found.boxes == [0, 0, 9, 12]).all()


def test_an_unknown_operation_depends_on_everything():
    plane = torch.zeros(1, 1, 4, 4)
    with torch.no_grad(), DependencyTracker([plane]) as tracker:
        result = torch.cumsum(plane, 2)
        untracked = torch.ones(2) * 2
    assert tracker.tracks(result) and result.isinf().all()
    assert not tracker.tracks(untracked)


@pytest.mark.parametrize(
    ("name", "layer", "side", "places"),
    [("alexnet", "features.10", 163, 13), ("resnet50", "layer2.3:add", 91, 28)],
)
def test_fields_of_well_known_networks(name, layer, side, places):
    from innerwalk.torch_bridge.models.torchvision_import import import_torchvision

    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")
    import torchvision

    with torch.device("meta"):
        model = getattr(torchvision.models, name)(weights=None).eval()
    model = model.to_empty(device="cpu")
    with torch.no_grad():
        for weight in (*model.parameters(), *model.buffers()):
            weight.zero_()
    found = fields_of(model, torch.rand(1, 3, 224, 224), [layer])[layer]
    assert found.boxes.shape[1:3] == (places, places) and found.sizes.tolist() == [[side, side]]


def test_centres_go_on_beyond_what_is_cut_off():
    model = nn.Sequential(nn.Conv2d(1, 1, 7, 4, 3)).eval()
    found = fields_of(model, torch.rand(1, 1, 33, 20), ["0"])["0"]
    rows, columns = found.centres()
    assert rows.tolist() == [0, 4, 8, 12, 16, 20, 24, 28, 32] and columns.tolist() == [0, 4, 8, 12, 16]
    everything = ReceptiveFields(np.broadcast_to(np.array([0, 0, 8, 8], np.int32), (1, 4, 2, 4)), (8, 8))
    assert [line.tolist() for line in everything.centres()] == [[0.5, 2.5, 4.5, 6.5], [1.5, 5.5]]
    middle = ReceptiveFields(np.broadcast_to(np.array([2, 2, 5, 5], np.int32), (1, 4, 2, 4)), (8, 8))
    assert middle.spacings() == (None, None)  # all see one part of the picture
