"""The rules of `record` besides the graph: values at their time, choice of layers, order, errors, restored state."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.modules import module as global_hooks  # noqa: E402

from innerwalk.tests.support.hostile import CASES, Case, Catches, InPlace, Plain, conv, picture  # noqa: E402
from innerwalk.torch_bridge import Prediction, record  # noqa: E402
from innerwalk.torch_bridge.capture import RecordingInfo  # noqa: E402
from innerwalk.torch_bridge.capture.trace.provenance import MARK  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ArgumentError, InputError, ModelError, UnknownName  # noqa: E402

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*is deprecated:DeprecationWarning")


class Lambda(nn.Module):
    """A network that is one function of named layers."""

    def __init__(self, function: Any, **layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, *args: Any) -> Any:
        return self.function(self, *args)


def values(recording: Any, id: str) -> torch.Tensor:
    return torch.from_numpy(recording.maps(id).data.copy())


def test_values_are_those_when_the_layer_finished() -> None:
    model, x = InPlace().eval(), picture()
    recording = record(model, x)
    with torch.no_grad():
        a = model.a(x)
        b = model.b(a.relu())
        y, z = a.relu() + 1, b.relu()
        total = z + y
        mixed = total.clone()
        mixed[:, 0] = y[:, 1]
    truth = {"a": a, "r": a.relu(), "b": b, ":add": y, ":relu": z, ":add@2": total, ":setitem": mixed}
    for id, value in truth.items():
        assert torch.equal(values(recording, id), value[0]), id
    assert torch.equal(values(recording, "c"), model.c(mixed.relu())[0].detach())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_waiting_changes_no_value(case: Case) -> None:
    """Panels copied as late as possible equal panels copied at once, whatever runs in between."""
    torch.manual_seed(0)
    model = case.build()
    at_once, late = record(model, case.inputs), record(model, case.inputs, layers="panels")
    shown = {layer.shows for layer in late.network.layers if layer.role == "panel"}
    assert {id for id, method in late.all_maps if method == "activations"} == shown
    for id in shown:
        assert late.maps(id).texels.tobytes() == at_once.maps(id).texels.tobytes()


@pytest.mark.parametrize(
    ("function", "shows"),
    [
        (lambda m, x: m.n(m.a(x)), "n"),
        (lambda m, x: (y := m.a(x), m.n(y) + y)[1], "a"),
        (lambda m, x: (y := m.a(x), z := m.n(y), y.add_(1), z)[3], "a"),
        (lambda m, x: m.n(m.a(x).relu_()), "a"),
        (lambda m, x: m.n(input=m.a(x)), "n"),
        (lambda m, x: (y := m.a(x), m.n(y), y)[2], "a"),
        (lambda m, x: F.batch_norm(m.a(x), m.n.running_mean, m.n.running_var), ":batch_norm"),
    ],
)
def test_a_batch_norm_folds_only_into_what_it_alone_reads(function: Any, shows: str) -> None:
    model = Lambda(function, a=conv(3, 4), n=nn.BatchNorm2d(4)).eval()
    nn.init.normal_(model.n.running_mean)
    recording = record(model, picture(), layers="panels")
    assert recording.network.layer("a").shows == shows
    with torch.no_grad():
        a = model.a(picture())
        truth = a if shows == "a" else F.batch_norm(a, model.n.running_mean, model.n.running_var)
    assert torch.equal(values(recording, shows), truth[0])


@pytest.mark.parametrize(
    ("function", "shows"),
    [
        (lambda m, x: (y := m.a(x), m.n(y.flatten(0, 1)).reshape_as(y))[1], "n"),
        (lambda m, x: m.n(m.a(x).transpose(1, 2)), "n"),
        (lambda m, x: m.n(m.a(x)), "a"),
    ],
    ids=["flattened", "transposed", "over tokens"],
)
def test_a_batch_norm_folds_where_it_scales_channels(function: Any, shows: str) -> None:
    model, x = Lambda(function, a=nn.Linear(5, 4), n=nn.BatchNorm1d(4)).eval(), torch.rand(1, 4, 5)
    nn.init.normal_(model.n.running_mean)
    recording = record(model, x, layers="panels")
    assert recording.network.layer("a").shows == shows
    assert [id for id, _ in recording.all_maps] == [shows]
    with torch.no_grad():
        truth = model.a(x)[0] if shows == "a" else model(x)[0]
    maps = recording.maps(shows)
    if maps.positions > 1:  # the steps lie in the batch axis: the first one is shown
        truth = truth[maps.position]
    assert torch.equal(values(recording, shows).flatten().sort()[0], truth.flatten().sort()[0])


def test_hand_written_batch_norm_folds() -> None:
    class FrozenBatchNorm2d(nn.Module):
        def forward(self, x):
            return x * 2 + 1

    model = Lambda(lambda m, x: F.relu(m.n(m.a(x))), a=conv(3, 4), n=FrozenBatchNorm2d())
    recording = record(model, picture(), layers="panels")
    assert recording.network.layer("a").shows == "n"
    assert [id for id, _ in recording.all_maps] == ["n"]


def test_globs_choose_what_is_copied() -> None:
    recording = record(Plain(), picture(), layers=["[nr]", "b"])
    assert [id for id, _ in recording.all_maps] == ["n", "r", "b"]
    assert len(recording.network.layers) == 6
    with pytest.raises(UnknownName, match="no recorded activations of layer 'a'"):
        recording.maps("a")
    with pytest.raises(UnknownName, match="no layer 'bb'; did you mean b"):
        record(Plain(), picture(), layers="bb")
    assert record(Plain(), picture(), layers=()).all_maps == {}
    odd = nn.Sequential()
    odd.add_module("a[0]", nn.ReLU())
    assert [id for id, _ in record(odd, picture(), layers="a[0]").all_maps] == ["a[0]"]


def test_a_batch_takes_an_index() -> None:
    model, batch = Plain().eval(), picture(3)
    recording = record(model, batch, index=2)
    with torch.no_grad():
        assert torch.equal(values(recording, "a"), model.a(batch)[2])
    assert recording.network.layer("a").shape == (4, 8, 8)
    with pytest.raises(InputError, match="no input 3: the batch has 3"):
        record(model, batch, index=3)


def test_an_input_without_batch() -> None:
    model = Lambda(lambda m, x: m.a(x), a=conv(3, 4))
    recording = record(model, picture()[0])
    assert recording.network.layer("a").shape == (4, 8, 8)
    assert recording.picture.shape == (8, 8, 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(dtype: torch.dtype) -> None:
    model, x = Lambda(lambda m, x: m.a(x), a=conv(3, 5)).to(dtype), picture().to(dtype)
    maps = record(model, x).maps("a")
    with torch.no_grad():
        assert torch.equal(torch.from_numpy(maps.data.copy()), model.a(x)[0].float())
    assert maps.texels.dtype == np.float32 and (maps.texels[-1, :, :, 1:] == 0).all()


def test_mode_buffers_inputs_and_hooks_are_left_as_they_were() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))
            self.register_buffer("last", None)

        def forward(self, x):
            self.calls += 1
            self.last = x.mean()
            return x * self.calls

    model = nn.Sequential(conv(3, 4), nn.BatchNorm2d(4), nn.Dropout(), Counts()).train()
    model[1].eval()
    before, x = {name: value.clone() for name, value in model.state_dict().items()}, picture()
    hooks = len(global_hooks._global_forward_hooks), len(global_hooks._global_forward_pre_hooks)
    record(model, x)
    assert [module.training for module in model] == [True, False, True, True]
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model[3].last is None
    assert not hasattr(x, MARK)
    assert (len(global_hooks._global_forward_hooks), len(global_hooks._global_forward_pre_hooks)) == hooks


def test_output_and_answer() -> None:
    found: list[Any] = []

    def answer(output: Any) -> Prediction:
        found.append(output)
        return Prediction("numbers", numbers=(float(output.sum()),))

    model = nn.Linear(3, 2)
    recording = record(model, torch.ones(1, 3), answer=answer, info=RecordingInfo("one", trained=True, weights="mine"))
    assert torch.equal(found[0], model(torch.ones(1, 3))) and not hasattr(found[0], MARK)
    assert recording.prediction.numbers == (float(found[0].sum()),)
    assert [layer.id for layer in recording.network.layers] == ["input", "Linear", "output"]
    assert (recording.network.name, recording.network.trained, recording.network.weights) == ("one", True, "mine")


def test_a_failing_layer_is_named_in_one_line() -> None:
    model = nn.Sequential(conv(3, 4), nn.Sequential(nn.ReLU(), conv(5, 4)))
    with pytest.raises(ModelError, match=r"failed in layer '1\.1' \(Conv2d\): RuntimeError: Given groups=1") as caught:
        record(model, picture())
    assert "\n" not in str(caught.value)
    assert not global_hooks._global_forward_hooks
    with pytest.raises(ModelError, match="is not a torch.nn.Module"):
        record(torch.relu, picture())
    with pytest.raises(InputError, match="'picture.png' isn't read here"):
        record(model, "picture.png")


def test_ctrl_c_leaves_nothing_behind() -> None:
    def interrupt(module: Any, x: torch.Tensor) -> torch.Tensor:
        raise KeyboardInterrupt

    x = picture()
    model = nn.Sequential(conv(3, 4), Lambda(interrupt)).train()
    with pytest.raises(KeyboardInterrupt):
        record(model, x)
    assert not global_hooks._global_forward_hooks and not global_hooks._global_forward_pre_hooks
    assert model.training and not hasattr(x, MARK)
    assert torch._C._is_torch_function_enabled()


def test_ctrl_c_inside_an_atomic_layer_restores_tracing() -> None:
    layer = conv(3, 4)

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    layer.register_forward_pre_hook(interrupt)
    with pytest.raises(KeyboardInterrupt):
        record(nn.Sequential(layer), picture())
    assert torch._C._is_torch_function_enabled() and not global_hooks._global_forward_hooks


def test_buffers_come_back_after_the_answer() -> None:
    """The output may be one of them."""
    model = Lambda(lambda m, x: m.total.add_(x))
    model.register_buffer("total", torch.zeros(1, 3, 8, 8))
    seen: list[torch.Tensor] = []
    record(model, picture(), answer=lambda output: seen.append(output.clone()) or Prediction())
    assert torch.equal(seen[0], picture()) and not model.total.any()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_callers_inference_mode_changes_nothing(case: Case) -> None:
    torch.manual_seed(0)
    model = case.build()
    plain = record(model, case.inputs, layers="panels")
    with torch.inference_mode():
        inside = record(model, case.inputs, layers="panels")
    assert inside.network == plain.network
    assert all(inside.all_maps[key].data.tobytes() == maps.data.tobytes() for key, maps in plain.all_maps.items())


def test_a_network_made_in_inference_mode_is_recorded() -> None:
    with torch.inference_mode():
        model, x = Plain().eval(), picture()
        model.n.register_buffer("weights", torch.rand(1).expand(4))  # which is read-only
    assert [layer.id for layer in record(model, x).network.layers] == ["input", "a", "n", "r", "b", "output"]


def test_layers_inside_vmap_are_recorded_without_values() -> None:
    model = Lambda(lambda m, x: m.b(torch.func.vmap(m.a)(x[:, None])[:, 0]), a=conv(3, 4), b=conv(4, 4))
    recording = record(model, picture())
    assert [(edge.source, edge.target) for edge in recording.network.edges] == [("b", "output")]
    assert recording.network.layer("a").note == "unknown origin, values that can't be drawn"
    assert recording.network.layer("b").note == "unknown origin" and recording.maps("b").shape == (4, 8, 8)


def test_two_threads_take_turns() -> None:
    """Otherwise the second run would remove the first one's marks from their common input, and restore its mode."""
    inside, done, found = threading.Event(), threading.Event(), []

    def forward(module: Any, x: torch.Tensor) -> torch.Tensor:
        inside.set()
        done.wait(0.5)
        return module.a(x)

    def second() -> None:
        inside.wait(10)
        record(model.a, x)
        done.set()

    model, x = Lambda(forward, a=conv(3, 4)).train(), picture()
    threads = [threading.Thread(target=second), threading.Thread(target=lambda: found.append(record(model, x).network))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(edge.source, edge.target) for edge in found[0].edges] == [("input", "a"), ("a", "output")]
    assert model.training and model.a.training


@pytest.mark.filterwarnings("ignore:.*nested tensors")
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_nested_tensors_on_the_way(layout: torch.layout) -> None:
    class Pads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.last = nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, first, second):
            nested = self.inner(torch.nested.as_nested_tensor([first, second], layout=layout))
            return self.last(torch.nested.to_padded_tensor(nested, 0.0))

    model, inputs = Pads(), (torch.rand(5, 4), torch.rand(3, 4))
    recording = record(model, inputs)
    assert recording.network.layer("inner").note == "values that can't be drawn"
    with torch.no_grad():
        wanted = model(*inputs).numpy()
    assert np.allclose(np.sort(recording.maps("last").data.ravel()), np.sort(wanted.ravel()), atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*nested tensors")
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_a_nested_input_is_a_black_pixel(layout: torch.layout) -> None:
    values = torch.nested.nested_tensor([torch.rand(5, 4), torch.rand(3, 4)], layout=layout)
    recording = record(nn.Sequential(nn.Linear(4, 3)), values)
    assert recording.picture.shape == (1, 1, 3) and not recording.picture.any()
    assert recording.network.layer("0").note == "values that can't be drawn"


def test_the_graph_of_a_network_without_numbers() -> None:
    model = Plain().to("meta")
    network = record(model, picture().to("meta"), layers=()).network
    assert network.layer("b").map_shape == (4, 8, 8)
    with pytest.raises(ModelError, match="input has no values on the meta device"):
        record(model, picture().to("meta"))


def test_a_second_run_ignores_what_the_first_left_on_cached_tensors() -> None:
    class Caches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kept: list[torch.Tensor] = []

        def forward(self, x):
            if not self.kept:
                self.kept.append(x * 2)
            return x + self.kept[0]

    model = Caches()
    model.child = nn.Identity()  # so that it is no layer itself
    assert record(model, picture()).network.layer(":add").note == ""
    second = record(model, picture()).network
    assert second.layer(":add").note == ""
    assert [edge.source for edge in second.edges if edge.target == ":add"] == ["input"]


def test_nan_and_inf_are_kept_and_counted() -> None:
    def spoil(module: Any, x: torch.Tensor) -> torch.Tensor:
        x = module.a(x)
        x[0, 0, 0, :2] = torch.tensor([float("nan"), float("inf")])
        return x

    maps = record(Lambda(spoil, a=conv(3, 4)), picture()).maps(":setitem")
    assert maps.nonfinite == 2 and np.isnan(maps.data[0, 0, 0]) and np.isinf(maps.data[0, 0, 1])


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: None,
        lambda m, x: "text",
        lambda m, x: m.a(x)[:, :0],
        lambda m, x: m.a(x[:0]),
        lambda m, x: m.a(x).nonzero(),
        lambda m, x: m.a(x).to_sparse(),
        lambda m, x: torch.fft.fft2(m.a(x)),
        lambda m, x: m.a(x).sum(),
        lambda m, x: {"a": [None, 3, {"b": (m.a(x),)}]},
    ],
)
def test_odd_outputs(function: Any) -> None:
    recording = record(Lambda(function, a=conv(3, 4)), picture())
    assert recording.network.layers[-1].role == "output"
    recording.network.folded()


def test_panels_need_something_to_show() -> None:
    recording = record(Lambda(lambda m, x: m.a(x[:0]), a=conv(3, 4)), picture(), layers="panels")
    assert recording.network.layer("a").role == "edge" and not recording.all_maps


def test_one_layer_one_channel_and_a_thousand_layers() -> None:
    single = record(nn.Conv2d(1, 1, 1), torch.rand(1, 1, 4, 4))
    assert single.maps("Conv2d").shape == (1, 4, 4) and single.maps("Conv2d").texels.shape == (1, 4, 4, 4)
    deep = record(nn.Sequential(*[nn.Conv2d(1, 1, 1) for _ in range(1000)]), torch.rand(1, 1, 4, 4), layers="panels")
    shown, edges = deep.network.folded()
    assert len(shown) == len(deep.all_maps) == 1000 and len(edges) == 999


def test_unknown_origins_are_noted() -> None:
    case = next(case for case in CASES if case.name == "numpy inline")
    assert record(case.build(), case.inputs).network.layer("b").note == "unknown origin"
    constant = Lambda(lambda m, x: m.a(x) + torch.tensor([1.0]) + torch.zeros(8), a=conv(3, 4))
    assert not any(layer.note for layer in record(constant, picture()).network.layers)


def test_scripted_networks_are_one_layer_with_a_panel() -> None:
    case = next(case for case in CASES if case.name == "scripted module")
    layer = record(case.build(), case.inputs).network.layer("s")
    assert (layer.kind, layer.role, layer.parameters) == ("Sequential", "panel", 4 * 4 * 9 + 4)


def test_a_caught_exception_leaves_the_right_path() -> None:
    model = nn.Sequential(Catches(), nn.Sequential(conv(4, 2)))
    ids = [layer.id for layer in record(model, picture()).network.layers]
    assert ids == ["input", "0.a", "0:relu", "0.b", "1.0", "output"]


def test_self_addition_is_a_sum_and_adding_a_constant_is_not() -> None:
    model = Lambda(lambda m, x: (y := m.a(x), y + y + 3)[1], a=conv(3, 4))
    network = record(model, picture()).network
    assert (network.layer(":add").role, network.layer(":add@2").role) == ("panel", "edge")


def test_layers_that_no_input_reaches_get_no_panel() -> None:
    model = Lambda(
        lambda m, x: m.a(x) + m.c(torch.relu(m.b(torch.ones(1, 4)))).reshape(1, 4, 1, 1),
        a=conv(3, 4), b=nn.Linear(4, 4), c=nn.Linear(4, 4),
    )  # fmt: skip
    network = record(model, picture()).network
    assert [layer.id for layer in network.layers if layer.role == "panel"] == ["a"]
    assert {edge.source for edge in network.edges if edge.target == ":add"} == {"a", "c"}


def test_progress_runs_to_its_end() -> None:
    seen: list[tuple[str, float]] = []
    record(Plain(), picture(), progress=lambda what, share: seen.append((what, share)))
    assert [what for what, _ in seen] == ["input", "a", "n", "r", "b"]
    assert all(0 < share <= 1 for _, share in seen) and [s for _, s in seen] == sorted(s for _, s in seen)


def test_pictures_of_inputs_that_are_none() -> None:
    identity = nn.Sequential(nn.Identity())
    colour = record(identity, torch.stack([torch.zeros(2, 2), torch.ones(2, 2), torch.full((2, 2), 0.5)])[None])
    assert colour.picture.dtype == np.uint8 and colour.picture[1, 1].tolist() == [0, 255, 128]
    grey = record(identity, torch.tensor([[[[-1.0, 3.0]]]])).picture
    assert grey.tolist() == [[[0] * 3, [255] * 3]]
    heat = record(identity, torch.tensor([[1.0, 2.0, 3.0, float("nan")]])).picture
    assert heat.shape == (2, 2, 3) and heat[0, 0].tolist() == [0, 0, 0] and heat[1, 0].tolist() == [252, 255, 164]
    assert record(identity, torch.rand(1, 4, 5, 6)).picture.shape == (5, 6, 3)
    assert record(identity, torch.rand(1, 7, 5, 6)).picture.shape == (5, 6, 3)
    own = np.zeros((9, 9, 3), np.uint8)
    assert record(identity, torch.rand(1, 3, 2, 2), picture=own).picture is own


def test_lists_of_pictures_are_taken_as_detectors_take_them() -> None:
    model = Lambda(lambda m, pictures: [m.a(item[None]) for item in pictures], a=conv(3, 4))
    pictures = [torch.rand(3, 8, 8), torch.rand(3, 6, 6)]
    recording = record(model, pictures, index=1)
    assert [layer.id for layer in recording.network.layers] == ["input", "input@2", "a", "a@2", "output", "output@2"]
    assert recording.picture.shape == (6, 6, 3)


def test_a_grid_that_no_tokens_have_is_refused():
    network, tokens = torch.nn.Linear(4, 2), torch.rand(1, 10, 4)
    assert record(network, tokens, grid=(2, 5)).maps("Linear").shape == (2, 2, 5)
    with pytest.raises(InputError, match="5 rows and 5 columns"):
        record(network, tokens, grid=(5, 5))


def test_a_wrong_keyword_says_what_is_near():
    with pytest.raises(ArgumentError, match=r"^record: no argument 'layer'; did you mean layers"):
        record(nn.Identity(), torch.zeros(1, 3), layer="*")
    with pytest.raises(UnknownName, match="no layer 'conv9'; did you mean conv1"):
        record(Lambda(lambda net, x: net.conv1(x), conv1=nn.Linear(3, 2)), torch.zeros(1, 3), layers="conv9")


class Scores(nn.Module):
    """Its output is its input: the scores of three classes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 1


SCORES = torch.tensor([[0.0, 4.0, 0.0], [9.0, 0.0, 8.0]])


def test_classes_name_the_prediction(tmp_path):
    (tmp_path / "names.json").write_text('["cat", "dog", "owl"]')
    for classes in (["cat", "dog", "owl"], str(tmp_path / "names.json"), tmp_path / "names.json"):
        prediction = record(Scores(), SCORES, classes=classes, index=1).prediction
        assert [name for _, name, _ in prediction.top] == ["cat", "owl", "dog"]
        assert prediction.top[0][2] == pytest.approx(float(SCORES[1].softmax(0)[0]))
    assert record(Scores(), SCORES, classes=()).prediction.top[0][1] == "class 1"
    assert record(Scores(), SCORES).prediction.kind == "none"


@pytest.mark.parametrize(
    ("classes", "line"),
    [
        (["cat", "dog"], "class names in the call: 2 names, the network has 3 classes"),
        ("catdogowl", "class names catdogowl: no such file"),
        (["cat", 3, "owl"], "class names in the call: index 1 is 3, not a name"),
    ],
)
def test_wrong_class_names_are_one_line(classes, line):
    with pytest.raises(InputError, match=f"^{line}$"):
        record(Scores(), SCORES, classes=classes)
