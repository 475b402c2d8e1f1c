"""Which modules of a network are its layers, and what they are called: wrappers, plain lists, parametrised modules."""

from __future__ import annotations

import types
import weakref
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from innerwalk.tests.support.hostile import conv, picture  # noqa: E402
from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.capture.layer_paths import layer_paths  # noqa: E402
from innerwalk.torch_bridge.capture.trace.provenance import MARK  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import PartialForward  # noqa: E402

torch.set_num_threads(1)


def small_net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(conv(3, 4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 8 * 8, 2)).eval()


def panels(model: nn.Module, *inputs: Any) -> dict[str, str]:
    network = record(model, inputs or picture()).network
    return {layer.id: layer.shows for layer in network.layers if layer.role == "panel"}


def edges(model: nn.Module) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in record(model, picture(), layers=()).network.edges]


@pytest.fixture
def process_group(tmp_path):
    distributed = pytest.importorskip("torch.distributed", reason="torch is built without torch.distributed")
    if not (distributed.is_available() and distributed.is_gloo_available()):
        pytest.skip("torch is built without gloo")
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def sharded(net: nn.Module, **options: Any) -> nn.Module:
    fsdp = pytest.importorskip("torch.distributed.fsdp")
    return fsdp.FullyShardedDataParallel(net, device_id=torch.device("cpu"), **options)


WRAPPERS = {
    "DataParallel": (nn.DataParallel, "module."),
    "DistributedDataParallel": (nn.parallel.DistributedDataParallel, "module."),
    "FSDP": (sharded, "_fsdp_wrapped_module."),
    "FSDP, original parameters": (lambda net: sharded(net, use_orig_params=True), "_fsdp_wrapped_module."),
    "compiled": (lambda net: torch.compile(net, backend="eager"), "_orig_mod."),
    "bare module": (lambda net: bare(net), "inner."),
}


def bare(net: nn.Module) -> nn.Module:
    model = nn.Module()
    model.inner = net
    model.forward = types.MethodType(lambda self, x: self.inner(x), model)
    return model


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_is_no_layer(name: str, process_group: None) -> None:
    wrap, prefix = WRAPPERS[name]
    model = wrap(small_net())
    assert panels(model) == {f"{prefix}0": f"{prefix}1", f"{prefix}4": f"{prefix}4"}
    with torch.no_grad():
        truth = small_net()(picture())[0]
    assert torch.equal(torch.from_numpy(record(model, picture()).maps(f"{prefix}4").data).flatten(), truth)
    result = PartialForward(model, [f"{prefix}0"], (picture(),))((picture(),))
    assert torch.equal(result.maps[f"{prefix}0"], small_net()[0](picture()))


class Helper:
    def __init__(self, layer: nn.Module) -> None:
        self.layer = layer


class Unregistered(nn.Module):
    """All its layers lie in plain attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [nn.Sequential(conv(3, 3)), [conv(3, 3)]]
        self.heads = {"mask": conv(3, 3), 2: nn.ReLU(), (1, 2): conv(3, 3)}
        self.helper = Helper(nn.BatchNorm2d(3))
        self.again = [self.blocks[0], self]

    def forward(self, x):
        x = self.blocks[0](self.blocks[1][0](x))
        x = self.helper.layer(self.heads[1, 2](self.heads[2](self.heads["mask"](x))))
        return self.again[0](x)


def test_modules_in_lists_dicts_and_objects_are_layers() -> None:
    chain = ["input", "blocks[1][0]", "blocks[0].0", "heads['mask']", "heads[2]", "heads[2][1]", "helper.layer"]
    model = Unregistered()
    assert edges(model) == list(zip(chain, [*chain[1:], "blocks[0].0@2"], strict=True)) + [("blocks[0].0@2", "output")]
    assert panels(model)["heads[2][1]"] == "helper.layer"
    assert PartialForward(model, ["heads['mask']"], (picture(),))((picture(),)).maps["heads['mask']"].shape[1] == 3


def test_modules_in_plain_attributes_are_in_evaluation_mode_and_stay_as_they_were() -> None:
    model, x = Unregistered(), picture()
    norm = model.helper.layer.train()  # eval() wouldn't reach it
    means = norm.running_mean.clone()
    maps = record(model, x).maps("helper.layer").data
    assert norm.training and torch.equal(norm.running_mean, means) and norm.num_batches_tracked == 0
    norm.eval()
    with torch.no_grad():
        before = model.heads[1, 2](model.heads[2](model.heads["mask"](model.blocks[0](model.blocks[1][0](x)))))
        assert np.array_equal(maps, norm(before)[0].numpy())


def test_windows_of_modules_in_plain_attributes_are_measured() -> None:
    class Frames(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [conv(3, 4)]

        def forward(self, x):
            return self.blocks[0](x.flatten(0, 1)).mean((2, 3)).reshape(len(x), -1)

    model, x = Frames(), torch.rand(2, 5, 3, 8, 8)
    maps = record(model, x, index=1, positions={"blocks[0]": 3}).maps("blocks[0]")
    assert maps.place == "frame 3 of 5"
    with torch.no_grad():
        assert np.array_equal(maps.data, model.blocks[0](x.flatten(0, 1))[8].numpy())


def test_no_two_modules_share_an_id() -> None:
    class Makes(nn.Module):
        def forward(self, x):
            return nn.Conv2d(3, 3, 1)(nn.Conv2d(3, 3, 1)(x))

    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name in ("a", "a@2", "Named"):
                self.add_module(name, conv(3, 3))
            self.makes = Makes()
            self.makes.child = nn.Identity()  # so that it is no layer itself

        def forward(self, x):
            modules = self._modules
            return self.makes(modules["Named"](modules["a@2"](self.a(self.a(x)))))

    model = Named()
    assert list(panels(model)) == ["a", "a@3", "a@2", "Named", "makes.?Conv2d", "makes.?Conv2d[1]"]
    assert len(set(layer_paths(model).values())) == len(layer_paths(model)) == len(list(model.modules()))


def test_other_attributes_are_searched_with_care() -> None:
    model, gone = small_net(), Helper(conv(3, 3))
    model.proxy, model.vocabulary = weakref.proxy(gone), {f"word {k}": [k] for k in range(5000)}
    model.samples = [[[0] * 900] * 900] * 900
    model.trainer = Helper(model)
    model.trainer.own = model.trainer
    model.deep = [[[[conv(3, 3)]]]]
    del gone
    assert [*layer_paths(model).values()] == ["", "0", "1", "2", "3", "4", "deep[0][0][0][0]"]


class Gained(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(4, 1, 1))
        self.a, self.b = conv(3, 4), conv(4, 5)

    def forward(self, x):
        return self.b(self.a(x) * self.gain)


class Softplus(nn.Module):
    def forward(self, weight):
        return F.softplus(weight)


def test_a_parametrised_module_is_a_layer_if_it_was_one_before() -> None:
    model = nn.Sequential(Gained(), nn.utils.parametrizations.weight_norm(conv(5, 3)))
    nn.utils.parametrize.register_parametrization(model[0], "gain", Softplus())
    assert list(panels(model)) == ["0.a", "0.b", "1"]
    with torch.no_grad():
        truth = model(picture())[0]
    assert torch.equal(torch.from_numpy(record(model, picture()).maps("1").data.copy()), truth)


class NormAct(nn.BatchNorm2d):
    """A subclass with modules of its own and its own forward, as timm has."""

    def __init__(self) -> None:
        super().__init__(4)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(super().forward(x))


def test_a_torch_layer_with_its_own_forward_and_modules_is_a_container() -> None:
    assert panels(nn.Sequential(conv(3, 4), NormAct())) == {"0": "1:batch_norm"}


class Caches(nn.Module):
    """Keeps tensors in every kind of place, made from shapes alone, and writes to one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = conv(3, 4), conv(4, 4)
        self.table, self.places, self.store = None, {}, [torch.zeros(1, 4, 8, 8)]
        self.register_buffer("window", torch.zeros(1, 4, 8, 8))

    def forward(self, x):
        y = self.a(x)
        if self.table is None:
            self.table = torch.linspace(0, 1, 8)
            self.places["rows"] = [torch.ones(8, 1)]
        y = y * self.table + y * self.places["rows"][0]
        self.store[0][:, :2] = y[:, :2]
        self.window.copy_(self.store[0])
        return self.b(self.window + y * 0)


def test_tensors_that_a_network_keeps_are_constants_until_it_writes_to_them() -> None:
    fresh, used = Caches(), Caches()
    with torch.no_grad():
        used(picture())
    first = record(fresh, picture(), layers=()).network
    assert {layer.id for layer in first.layers if layer.role == "panel"} == {"a", ":add", ":add@2", "b"}
    assert not any(layer.note for layer in first.layers)
    edges = {(edge.source, edge.target) for edge in first.edges}
    assert {(":add", ":setitem"), (":setitem", ":add@2"), (":add", ":mul@3"), (":add@2", "b")} <= edges
    for model in (fresh, used):
        again = record(model, picture(), layers=()).network
        assert (again.layers, again.edges) == (first.layers, first.edges)
        kept = [model.table, model.places["rows"][0], model.store[0], model.window]
        assert not any(hasattr(tensor, MARK) for tensor in kept)
