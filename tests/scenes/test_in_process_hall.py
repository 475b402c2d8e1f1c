"""Halls whose networks run in this process: values of `record` and `ask`, faults in one line, nothing left behind."""

import gc
import time
import weakref

import numpy as np
import pytest

pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")
torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402

from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import PANEL_SHOWN_LAYER  # noqa: E402
from innerwalk.scenes import Hall  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.tests.support.own_networks import Windowed  # noqa: E402
from innerwalk.torch_bridge import ask, concepts, record  # noqa: E402
from innerwalk.torch_bridge.recording.errors import (  # noqa: E402
    ArgumentError,
    BridgeError,
    InputError,
    ModelError,
    SceneError,
    UnknownName,
)


class Picky(nn.Module):
    """Two convolutions and a linear layer; refuses inputs whose sum is above 1000."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 3), nn.Linear(4, 3)

    def forward(self, x):
        if x.mean() > 50:
            raise ValueError("too\nlarge")
        y = self.second(self.first(x).relu()).relu()
        return self.last(y.mean((2, 3)))


@pytest.fixture
def model() -> Picky:
    torch.manual_seed(3)
    return Picky().train()


@pytest.fixture(autouse=True)
def alone(empty_scene):
    yield
    Hall.leave_bridge()


def values(seed: int) -> "torch.Tensor":
    return torch.randn(1, 3, 12, 10, generator=torch.Generator().manual_seed(seed))


def assert_shows(hall: Hall, recording, method: str = "activations") -> None:
    for panel in hall.panels:
        expected = recording.maps(panel.object[PANEL_SHOWN_LAYER], method).data
        assert np.array_equal(panel.values, expected, equal_nan=True), panel.layer


def test_values_are_those_of_record_and_ask(model):
    hall = Hall.of(model, values(1), classes=["a", "b", "c"])
    assert_shows(hall, record(model, values(1)))
    assert hall.prediction == record(model, values(1), classes=["a", "b", "c"]).prediction
    hall.place(values(2))
    assert_shows(hall, record(model, values(2)))
    hall.ask("saliency", layers="second", of="mean")
    asked = ask(model, values(2), "saliency", layers="second", of="mean")
    assert np.array_equal(hall["second"].values, asked.maps("second", "saliency").data)
    with pytest.raises(SceneError, match="saliency wasn't asked about first; its panel is empty"):
        _ = hall["first"].values
    assert_shows(hall.show_activations(), record(model, values(2)))
    assert model.training and all(parameter.grad is None for parameter in model.parameters())


def test_a_class_has_a_name(model):
    hall = Hall.of(model, values(1), classes=["cat", "dog", "owl"])
    named = hall.ask("grad_cam", layers="second", of_class="owl")["second"].values
    assert np.array_equal(named, hall.ask("grad_cam", layers="second", of_class=2)["second"].values)
    with pytest.raises(UnknownName, match="no class 'owel'; did you mean owl"):
        hall.ask("grad_cam", of_class="owel")


def test_denormal_numbers_stay(model):
    with torch.no_grad():
        model.first.weight.mul_(1e-38), model.first.bias.mul_(1e-39)
    recording = record(model, values(1))
    assert np.count_nonzero(recording.maps("first").data) > 400
    assert_shows(Hall.of(model, values(1)), recording)


def test_ablated_channels_are_zeros_of_a_hook(model):
    hall = Hall.of(model, values(1))
    hall["first"].ablate(0, 3)
    handle = model.first.register_forward_hook(lambda module, args, out: out.index_fill(1, torch.tensor([0, 3]), 0.0))
    hooked = record(model, values(1))
    handle.remove()
    assert np.array_equal(hall["second"].values, hooked.maps("second").data)
    assert_shows(hall.restore_channels(), record(model, values(1)))
    hall["first"].ablate(np.int64(3)).ablate("0")
    assert np.array_equal(hall["second"].values, hooked.maps("second").data)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_tensors_arrive_as_they_are(model, dtype):
    model.to(dtype)
    assert_shows(Hall.of(model, values(1).to(dtype)), record(model, values(1).to(dtype)))


def test_arguments_by_name_and_integers(empty_scene):
    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.mix = nn.Embedding(9, 6), nn.Linear(6, 5)

        def forward(self, ids, mask=None):
            y = self.mix(self.words(ids))
            return y if mask is None else y * mask[..., None]

    model, inputs = Tokens(), {"ids": torch.tensor([[1, 2, 8]]), "mask": torch.tensor([[True, False, True]])}
    hall = Hall.of(model, inputs)
    assert_shows(hall, record(model, inputs))
    other = inputs | {"ids": torch.tensor([[4, 4, 0]])}
    assert_shows(hall.place(other), record(model, other))


def test_a_picture_is_preprocessed_as_stated(model):
    picture = concepts.picture(3)
    hall = Hall.of(model, picture, size=(64, 64), mean=(0.5,), std=(0.25,))
    tensor = torch.from_numpy((picture / np.float32(255) - np.float32(0.5)) / np.float32(0.25)).permute(2, 0, 1)[None]
    assert_shows(hall, record(model, tensor))


def test_two_networks_each_with_its_own_input(model):
    other = Picky()
    first, second = Hall.of(model, values(1)), Hall.of(other, values(2))
    assert first.scene.name == "Picky" and second.scene.name == "Picky.001"
    first.ask("saliency", layers="second")
    second.place(values(3)).ask("saliency", layers="second")
    for hall, network, seed in ((first, model, 1), (second, other, 3)):
        expected = ask(network, values(seed), "saliency", layers="second").maps("second", "saliency").data
        assert np.array_equal(hall["second"].values, expected)
    first.show_activations().stand_beside(second.show_activations(), share=True)
    first.place(values(4))
    assert_shows(first, record(model, values(4)))
    assert_shows(second, record(other, values(4)))
    first.show_difference(second)
    a, b = (record(network, values(4)).maps("second").texels for network in (model, other))
    assert np.array_equal(first["second"].maps.texels, a - b)


def test_a_folder_of_pictures_is_a_data_set(model, tmp_path):
    from PIL import Image

    (tmp_path / "birds").mkdir()
    for index in range(3):
        Image.fromarray(concepts.picture(index)).save(tmp_path / "birds" / f"{index}.png")
    hall = Hall.of(model, values(1), size=(64, 64), mean=(0.5,), std=(0.5,))
    hall.ask("average", data=tmp_path / "birds", layers="first")
    assert hall["first"].values.shape[0] == 6 and hall["first"].values.any()
    hall.place(data=tmp_path / "birds", index=2)
    hall.draw_shelf(tmp_path / "birds")
    assert sorted(hall.shelf["indices"]) == [0, 1, 2]
    assert hall.place_shelved(0).input_name in hall.recording.input_name


BAD = (
    (ModelError, "too large", lambda hall: hall.place(values(1) + 100)),
    (InputError, "nope.jpg: can't be read", lambda hall: hall.place("nope.jpg")),
    (InputError, "no tensor in the inputs", lambda hall: hall.place({})),
    (ModelError, "the network failed in its own forward", lambda hall: hall.place(values(1).to_sparse())),
    (InputError, "can't be drawn", lambda hall: hall.place(values(1).to("meta"))),
    (InputError, "pass inputs, or data and index, not both", lambda hall: hall.place("a.png", data="birds")),
    (InputError, "is not a list of whole numbers", lambda hall: hall["first"].ablate(1.5)),
    (ArgumentError, "Hall.look: gain is 'big' of type str", lambda hall: hall.look(gain="big")),
    (SceneError, "size '640x480'", lambda hall: hall.figure("a.png", size="640x480")),
    (ArgumentError, "no argument 'wiat'; did you mean wait", lambda hall: hall.show_activations(wiat=False)),
    (UnknownName, "no method 'grad_cm'; did you mean grad_cam", lambda hall: hall.ask("grad_cm")),
    (UnknownName, "no layer 'secnd'; did you mean second", lambda hall: hall.ask("saliency", layers="secnd")),
    (InputError, "no channel 9|channel 9", lambda hall: hall.ask("saliency", layers="second", channels=[9])),
    (UnknownName, "no parameter of saliency 'off'", lambda hall: hall.ask("saliency", off="mean")),
    (InputError, "did you mean mean", lambda hall: hall.ask("saliency", of="maen")),
    (InputError, "channels 0 to 5", lambda hall: hall["first"].ablate(6)),
    (UnknownName, "no argument 'indx'; did you mean index", lambda hall: hall.place(data="x", indx=3)),
    (InputError, "no folder|no such|neither", lambda hall: hall.ask("average", data="nowhere")),
)


@pytest.mark.parametrize(("error", "match", "call"), BAD, ids=lambda part: part if isinstance(part, str) else "")
def test_a_fault_is_one_line_and_the_hall_stays(model, error, match, call):
    hall = Hall.of(model, values(1))
    before, name = live.texels(hall.scene), hall.input_name
    with pytest.raises(error, match=match) as caught:
        call(hall)
    assert "\n" not in str(caught.value)
    assert live.equal(live.texels(hall.scene), before) and hall.input_name == name
    assert_shows(hall.place(values(2)), record(model, values(2)))


def test_a_model_that_fails_at_once_leaves_nothing(model):
    with pytest.raises(ModelError, match="too large"):
        Hall.of(model, values(1) + 100)
    with pytest.raises(UnknownName, match="did you mean resnet18"):
        Hall.of("resnet81")
    with pytest.raises(InputError, match="no field 'wieghts'"):
        Hall.of("object", wieghts="x")
    assert not Hall.all() and not current().link.bridge.service.networks


def test_a_removed_hall_takes_its_network_along(model):
    first, second = Hall.of(model, values(1)), Hall.of(model, values(2))
    first.remove()
    assert list(current().link.bridge.service.networks) == ["Picky 2"]
    assert_shows(second.place(values(3)), record(model, values(3)))
    second.remove()
    assert not current().link.bridge.service.networks and not current().halls


def test_without_the_bridge_a_hall_keeps_what_it_shows(model):
    hall = Hall.of(model, values(1))
    Hall.leave_bridge()
    assert_shows(hall, record(model, values(1)))
    with pytest.raises(BridgeError, match="no bridge"):
        hall.place(values(2))
    again = Hall.of(model, values(2))
    assert_shows(again, record(model, values(2)))


def test_a_recording_can_follow_a_network(model, tmp_path):
    record(model, values(1)).save(tmp_path / "a")
    Hall.of(model, values(5), name="mine")
    hall = Hall.open(tmp_path / "a").follow("mine")
    with pytest.raises(InputError, match="place an input first"):
        hall.ask("saliency")
    assert_shows(hall, record(model, values(1)))
    assert_shows(hall.place(values(2)), record(model, values(2)))


def test_a_hall_never_runs_on_another_network_of_the_same_name(model, tmp_path):
    old = Hall.of(model, values(1))
    old.save(tmp_path / "old.blend")
    Hall.leave_bridge()
    new = Hall.of(Picky(), values(2))
    loaded = Hall.load(tmp_path / "old.blend")
    for hall in (old, loaded):
        for call in (lambda: hall.place(values(3)), lambda: hall["first"].ablate(0), lambda: hall.ask("saliency")):  # noqa: B023
            with pytest.raises(BridgeError, match="shows a network Picky that this process no longer has"):
                call()
        assert_shows(hall, record(model, values(1)))
    new.remove()
    assert_shows(old, record(model, values(1)))


def test_a_saved_hall_of_a_network_is_loaded_and_drawn(model, tmp_path):
    hall = Hall.of(model, values(1))
    hall.ask("saliency", layers="second")
    saved = hall.save(tmp_path / "hall.blend")
    hall.remove()
    Hall.leave_bridge()
    loaded = Hall.load(saved).wait(5)
    assert loaded.figure(tmp_path / "a.png", preset="camera", size=(64, 36), samples=1).is_file()
    assert loaded["second"].maps.method == "saliency" and loaded["second"].values.any()
    with pytest.raises(SceneError, match="no activations in memory"):
        loaded.show_activations()
    assert loaded["second"].maps.method == "saliency"


def test_a_failed_input_leaves_the_method_of_a_recording(model, tmp_path):
    ask(model, values(1), "saliency", layers="second").save(tmp_path / "asked")
    Hall.of(model, values(5), name="mine")
    hall = Hall.open(tmp_path / "asked", method="saliency").follow("mine")
    before = hall["second"].values
    with pytest.raises(ModelError, match="too large"):
        hall.place(values(1) + 100)
    assert hall["second"].maps.method == hall.appearance.method == "saliency"
    assert np.array_equal(hall["second"].values, before)


def test_a_network_may_be_trained_between_two_questions(model):
    hall = Hall.of(model, values(1))
    first = hall.ask("saliency", layers="second")["second"].values
    with torch.no_grad():
        model.first.weight.neg_()
    hall.place(values(1)).ask("saliency", layers="second")
    expected = ask(model, values(1), "saliency", layers="second").maps("second", "saliency").data
    assert np.array_equal(hall["second"].values, expected) and not np.array_equal(expected, first)


def test_what_a_script_writes_to_its_tensors_later_changes_nothing(model):
    inputs = values(1)
    hall = Hall.of(model, inputs)
    inputs.zero_()
    hall.ask("saliency", layers="second")
    expected = ask(model, values(1), "saliency", layers="second").maps("second", "saliency").data
    assert np.array_equal(hall["second"].values, expected)


def test_a_network_that_writes_to_its_input_gets_it_fresh_each_time(empty_scene):
    class Writes(Picky):
        def forward(self, x):
            return super().forward(x.mul_(2))

    model = Writes()
    hall = Hall.of(model, values(1))
    hall["first"].ablate(0)
    assert_shows(hall.restore_channels(), record(model, values(1)))
    hall.ask("saliency", layers="second").show_activations()
    assert_shows(hall, record(model, values(1)))


def test_two_folders_of_one_name_are_two_data_sets(model, tmp_path):
    from PIL import Image

    for name, index in (("a", 0), ("b", 7)):
        (tmp_path / name / "birds").mkdir(parents=True)
        Image.fromarray(concepts.picture(index)).save(tmp_path / name / "birds" / "0.png")
    hall = Hall.of(model, values(1), size=(64, 64), mean=(0.5,), std=(0.5,))
    shown = [hall.ask("average", data=tmp_path / name / "birds", layers="first")["first"].values for name in ("a", "b")]
    assert not np.array_equal(*shown)
    hall.show_activations().place(data=tmp_path / "a" / "birds")
    again = hall.ask("average", data=tmp_path / "a" / "birds", layers="first")["first"].values
    assert np.array_equal(again, shown[0])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F"])
def test_a_pillow_image_is_read_as_its_file_would_be(model, mode):
    from PIL import Image

    picture = Image.fromarray(concepts.picture(3)).convert("RGB" if mode == "HSV" else mode if mode != "LA" else "L")
    picture = picture.convert(mode)
    hall = Hall.of(model, picture, size=(64, 64))
    seen = hall.recording.picture.astype(int)
    grey = mode in ("1", "L", "LA", "F")
    original = Image.fromarray(concepts.picture(3)).convert("L" if grey else "RGB").convert("RGB")
    allowed = {"1": 130, "P": 20}.get(mode, 3)  # of 255: dithering
    assert np.abs(seen - np.asarray(original).astype(int)).mean() < allowed


def test_a_class_whose_name_is_a_number(model):
    hall = Hall.of(model, values(1), classes=["1", "2", "0"])
    named = hall.ask("grad_cam", layers="second", of_class="1")["second"].values
    assert np.array_equal(named, hall.ask("grad_cam", layers="second", of_class=np.int64(0))["second"].values)


def test_a_network_of_which_a_part_has_no_values(model):
    model.unused = nn.Linear(2, 2, device="meta")
    hall = Hall.of(model, values(1))
    assert_shows(hall, record(model, values(1)))
    hall.ask("saliency", layers="second")


def test_a_module_may_be_named_like_a_shipped_network(model):
    assert_shows(Hall.of(model, values(1), name="object"), record(model, values(1)))


def test_nothing_keeps_a_network_that_is_removed_or_left():
    held = []
    for end in (lambda hall: hall.remove(), lambda hall: Hall.leave_bridge()):
        model = Picky()
        held.append(weakref.ref(model))
        hall = Hall.of(model, values(1))
        hall.ask("saliency", layers="second")
        end(hall)
        del model, hall
        end = time.monotonic() + 60
        while held[-1]() is not None and time.monotonic() < end:  # threads of the bridge end in their own time
            time.sleep(0.05)
            gc.collect()
        assert held[-1]() is None


def test_a_chosen_window_is_that_of_record_and_ask():
    torch.manual_seed(4)
    model, x, window = Windowed(), torch.randn(1, 3, 8, 8), {"inside": 2}
    hall = Hall.of(model, x)
    hall["inside"].position = 2
    assert_shows(hall, record(model, x, positions=window))
    assert hall["inside"].maps.place == "window 2 of 4"
    hall.ask("grad_cam", of_class=1)
    wanted = ask(model, x, "grad_cam", positions=window, of_class=1).maps("inside", "grad_cam")
    assert np.array_equal(hall["inside"].values, wanted.data) and hall["inside"].maps.place == wanted.place
    with pytest.raises(InputError, match="layer inside has windows 0 to 3; there is no window 4"):
        hall["inside"].position = 4
    chosen = Hall.of(Windowed(), x, positions={"inside": 1})
    assert chosen["inside"].maps.place == "window 1 of 4" and chosen["inside"].position == 1


class Attending(nn.Module):
    """Patches of a picture that attend to each other; the attention has two maps a layer: its output's, its heads'."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.attend = nn.Conv2d(3, 8, 2, 2), nn.MultiheadAttention(8, 2, batch_first=True)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        tokens = self.patch(x).flatten(2).mT
        return self.last(self.attend(tokens, tokens, tokens)[0].mean(1))


def test_a_network_with_attention_takes_inputs_and_ablations():
    torch.manual_seed(5)
    model = Attending().eval()
    hall = Hall.of(model, values(1))
    hall.place(values(2))
    assert_shows(hall, record(model, values(2)))
    hall["patch"].ablate(1)
    assert_shows(hall, record(model, values(2), ablate={"patch": [1]}))
