"""Building networks: torchvision, factories, exported programs, weights files, and errors."""

import argparse
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)  # two on a busy machine wait for each other most of the time

from innerwalk.tests.support import SUPPORT  # noqa: E402
from innerwalk.torch_bridge.inputs.first_layer import takes_list  # noqa: E402
from innerwalk.torch_bridge.models.build import build_model  # noqa: E402
from innerwalk.torch_bridge.models.torchvision_import import import_torchvision  # noqa: E402
from innerwalk.torch_bridge.models.weights import load_weights  # noqa: E402
from innerwalk.torch_bridge.recording import safetensors  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError, UnknownName  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, prepare, record_from  # noqa: E402


@pytest.fixture(autouse=True)
def own_models(monkeypatch) -> None:
    """`own_models:factory` can be imported, like a module of the user."""
    monkeypatch.syspath_prepend(str(SUPPORT))


@pytest.fixture
def zoo() -> None:
    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")


def write_safetensors(path, arrays, metadata=None) -> Path:
    path.write_bytes(b"".join(safetensors.encode(arrays, metadata)))
    return path


def state(module, kind=None) -> dict[str, np.ndarray]:
    arrays = {name: value.detach().numpy() for name, value in module.state_dict().items()}
    return {name: array.astype(kind) if kind and array.dtype.kind == "f" else array for name, array in arrays.items()}


def small(seed=0, **arguments):
    return build_model("own_models:small", arguments, seed).module


def same(first, other) -> bool:
    return all(torch.equal(value, other.state_dict()[name]) for name, value in first.state_dict().items())


# what a model is


def test_torchvision_name_is_built_without_downloading(zoo):
    built = build_model("lraspp_mobilenet_v3_large")
    assert type(built.module).__name__ == "LRASPP" and not built.module.training and built.weights == ""


@pytest.mark.parametrize(
    ("model", "listed"), [("retinanet_resnet50_fpn", True), ("ssd300_vgg16", True), ("vgg11", False)]
)
def test_detection_models_take_a_list(zoo, model, listed):
    with torch.device("meta"):
        assert takes_list(build_model(model).module) is listed


def test_detection_segmentation_and_film_networks_run(zoo, tmp_path):
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    found = {
        model: record_from(RecordSpec(model, inputs=[str(tmp_path / "noise.png")], layers=()))
        for model in ("ssdlite320_mobilenet_v3_large", "lraspp_mobilenet_v3_large", "r3d_18")
    }
    assert [recording.prediction.kind for recording in found.values()] == ["boxes", "mask", "classes"]
    assert [recording.picture.shape[:2] for recording in found.values()] == [(120, 160), (520, 693), (112, 112)]
    assert found["r3d_18"].network.layers[0].shape == (3, 16, 112, 112)
    assert not found["r3d_18"].network.trained and found["r3d_18"].provenance["weights"] == "random"


def test_random_weights_come_from_the_seed_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = small(1), small(1), small(2)
    assert same(first, again) and not same(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_factory_gets_its_arguments():
    built = build_model("own_models:small", {"channels": 1, "classes": 7})
    assert (built.name, built.module[0].in_channels, built.module[-1].out_features) == ("small", 1, 7)


def test_factory_is_found_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "my_nets.py").write_text("from torch import nn\nclass Zoo:\n    tiny = nn.Linear\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    built = build_model("my_nets:Zoo.tiny", {"in_features": 3, "out_features": 2})
    assert (built.name, built.module.in_features, sys.path) == ("tiny", 3, before)


@pytest.mark.parametrize("batch", [1, 2])
def test_exported_program_keeps_its_dotted_modules(tmp_path, batch):
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Conv2d(4, 2, 1))
    )
    path = tmp_path / "net.pt2"
    example = torch.randn(batch, 3, 20, 24)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.export.save(torch.export.export(model.eval(), (example,)), path)
    recording = record_from(RecordSpec(str(path), inputs=["noise:4"], trust=True))
    kinds = {layer.id: layer.kind for layer in recording.network.layers}
    assert kinds.items() >= {"0": "Conv2d", "1.0": "ReLU", "1.1": "Conv2d"}.items()
    assert recording.network.trained and recording.picture.shape == (20, 24, 3)
    drawn = torch.from_numpy(np.random.default_rng(4).standard_normal((3, 20, 24), np.float32))[None]
    assert np.allclose(recording.maps("1.1").data, model(drawn)[0].detach().numpy(), atol=1e-6)


def test_exported_program_keeps_the_names_of_its_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(SUPPORT))
    from input_models import Masked

    model, ids, mask = Masked().eval(), torch.tensor([[1, 2, 3]]), torch.tensor([[1.0, 0.0, 1.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.export.save(torch.export.export(model, (ids, mask), {"scale": torch.ones(1)}), "net.pt2")
    np.save("mask.npy", mask.numpy())
    np.save("scale.npy", np.array([3.0], np.float32))
    for inputs, keywords in (
        (["ids:1,2,3", "mask.npy"], {"scale": "scale.npy"}),
        ([], {"scale": "scale.npy", "mask": "mask.npy", "ids": "ids:1,2,3"}),
    ):
        recording = record_from(RecordSpec("net.pt2", inputs=inputs, keywords=keywords, trust=True))
        assert [own.name for own in recording.inputs] == ["ids", "mask", "scale"]
        wanted = torch.softmax(model(ids, mask, scale=torch.tensor([3.0]))[0], 0).detach()
        assert recording.prediction.top[0][2] == pytest.approx(float(wanted.max()), abs=1e-5)
    with pytest.raises(InputError, match="net: forward also needs mask, scale; give 2 more inputs"):
        record_from(RecordSpec("net.pt2", inputs=["ids:1,2,3"], trust=True))
    with pytest.raises(UnknownName, match="did you mean mask"):
        record_from(RecordSpec("net.pt2", inputs=["ids:1,2,3"], keywords={"maks": "mask.npy"}, trust=True))


# weights


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_safetensors_are_loaded_in_the_models_own_dtype(tmp_path, kind):
    source, target = small(1), small(2)
    load_weights(target, write_safetensors(tmp_path / "w.safetensors", state(source, kind)))
    assert target[0].weight.dtype == torch.float32
    assert torch.equal(target[0].weight, source[0].weight.to(getattr(torch, kind)).float())


def test_bfloat16_of_the_safetensors_library_is_loaded(tmp_path):
    library = pytest.importorskip("safetensors.torch", reason="needs safetensors")
    source, target = small(1), small(2)
    library.save_file(
        {k: v.to(torch.bfloat16) if v.is_floating_point() else v for k, v in source.state_dict().items()},
        tmp_path / "w.safetensors",
    )
    load_weights(target, tmp_path / "w.safetensors")
    assert torch.equal(target[0].weight, source[0].weight.to(torch.bfloat16).float())


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3, "note": "last"},
        lambda state: {"optimizer": {"lr": torch.ones(1)}, "model": state},
        lambda state: {"state_dict": {f"module.{name}": value for name, value in state.items()}},
        lambda state: {f"module._orig_mod.{name}": value for name, value in state.items()},
        lambda state: {"anything": state},
    ],
)
def test_checkpoints_of_the_usual_kinds_are_unwrapped(tmp_path, wrap):
    source, target = small(1), small(2)
    torch.save(wrap(source.state_dict()), tmp_path / "w.pth")
    load_weights(target, tmp_path / "w.pth")
    assert same(source, target)


def test_weights_that_dont_fit_name_the_first_few(tmp_path):
    arrays = state(small())
    arrays["5.bias"] = np.zeros(9, np.float32)
    arrays["head.weight"] = arrays.pop("0.weight")
    path = write_safetensors(tmp_path / "w.safetensors", arrays)
    with pytest.raises(ModelError) as error:
        load_weights(small(), path)
    assert str(error.value) == (
        "weights w.safetensors don't fit Sequential: 1 of another shape (5.bias (9,) instead of (4,)); "
        "1 missing (0.weight, in the file perhaps head.weight); 1 that the model lacks (head.weight)"
    )


def test_many_misfits_are_cut_short(tmp_path):
    path = write_safetensors(tmp_path / "w.safetensors", {f"x{k}": np.zeros(1, np.float32) for k in range(9)})
    with pytest.raises(ModelError, match=r"9 that the model lacks \(x0, x1, x2, …\)"):
        load_weights(small(), path)


# what goes wrong, in one line


def explained(error, model, **spec) -> str:
    with pytest.raises(error) as raised:
        prepare(RecordSpec(model, **spec))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_unknown_model_names_the_nearest(zoo):
    assert "did you mean resnet50" in explained(UnknownName, "resnet5O")
    assert "did you mean object" in explained(UnknownName, "objec")


@pytest.mark.parametrize(
    ("model", "error", "line"),
    [
        ("own_models:smal", UnknownName, "no factory in own_models 'smal'; did you mean small"),
        ("own_modelz:small", ModelError, "no module 'own_modelz' in the current folder or installed"),
        ("own_models:broken", ModelError, "own_models:broken() failed: ValueError: the depth must be a prime"),
        ("own_models:no_module", ModelError, "own_models:no_module returned dict, not a torch.nn.Module"),
        ("own_models:constant", ModelError, "own_models:constant is int, not a function"),
        ("own_models:leaving", ModelError, "own_models:leaving() failed: SystemExit: 7"),
        ("./own_models:small", ModelError, "'./own_models' is not a module name; name the function"),
        (":small", ModelError, "'' is not a module name; name the function"),
        (__file__, ModelError, "test_build.py is source code, not a model; did you mean tests.torch_bridge"),
        ("nowhere.pt2", ModelError, "nowhere.pt2: no such file"),
        ("nowhere.pth", ModelError, "nowhere.pth: no such file"),
    ],
)
def test_models_that_arent(model, error, line):
    assert line in explained(error, model)


def test_wrong_arguments_name_the_call():
    line = explained(ModelError, "own_models:small", arguments={"depth": 3})
    assert line.startswith("own_models:small(depth=3) failed: TypeError: small() got an unexpected keyword")


def test_module_that_fails_on_import(tmp_path, monkeypatch):
    (tmp_path / "halting.py").write_text("import no_such_dependency\n")
    (tmp_path / "odd.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    assert "no module 'no_such_dependency' that it imports" in explained(ModelError, "halting:net")
    assert "importing odd failed (ZeroDivisionError" in explained(ModelError, "odd:net")


@pytest.mark.parametrize("seed", [-1, 1 << 80])
def test_seeds_that_arent(seed):
    assert f"seed {seed}: a whole number" in explained(ModelError, "own_models:small", seed=seed)


def test_torchscript_asks_for_the_factory(tmp_path):
    path = tmp_path / "script.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.trace(small(), torch.zeros(1, 3, 9, 9)), path)
    line = explained(ModelError, str(path))
    assert "is TorchScript" in line and "name the function that builds the model, package.module:factory" in line
    assert "save the model's state_dict()" in explained(ModelError, "own_models:small", weights=str(path))


def test_checkpoint_is_not_a_model(tmp_path):
    torch.save(small().state_dict(), tmp_path / "w.pth")
    assert "holds weights, not a model" in explained(ModelError, str(tmp_path / "w.pth"))


def test_file_that_is_no_exported_program(tmp_path):
    (tmp_path / "x.pt2").write_bytes(b"PK\x03\x04 nothing more")
    assert "not a program that torch.export.save wrote" in explained(ModelError, str(tmp_path / "x.pt2"), trust=True)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            lambda: {"state_dict": {}, "args": argparse.Namespace(lr=1)},
            "argparse.Namespace, which needs pickle",
        ),
        (
            lambda: small(),
            "pickle runs code from the file; if you trust the file, save its state_dict",
        ),
        (lambda: [1, 2], "contains list, not a state_dict"),
        (lambda: {"epoch": 3}, "no state_dict in it, but epoch"),
    ],
)
def test_checkpoints_that_arent_read(tmp_path, content, line):
    torch.save(content(), tmp_path / "w.pth")
    assert line in explained(ModelError, "own_models:small", weights=str(tmp_path / "w.pth"))


@pytest.mark.parametrize("protocol", [2, 4])
def test_an_old_file_of_objects_needs_pickle(tmp_path, protocol):
    path = tmp_path / "w.pth"
    torch.save(argparse.Namespace(lr=1), path, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    assert "needs pickle, and pickle runs code" in explained(ModelError, "own_models:small", weights=str(path))


def test_weights_that_unpack_to_far_more_than_their_size(tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "small.pt")
    with (
        zipfile.ZipFile(tmp_path / "small.pt") as old,
        zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in old.namelist():
            bomb.writestr(name, old.read(name))
        with bomb.open("small/data/1", "w") as entry:
            for _ in range(300):
                entry.write(bytes(1 << 20))
    assert (tmp_path / "bomb.pt").stat().st_size < 1 << 20
    line = explained(ModelError, "own_models:small", weights=str(tmp_path / "bomb.pt"))
    assert "unpacks to far more than its size" in line


def test_a_zip_whose_table_of_contents_is_damaged(tmp_path):
    torch.save(small().state_dict(), tmp_path / "w.pth")
    whole = (tmp_path / "w.pth").read_bytes()
    table = whole.rindex(b"PK\1\2")
    (tmp_path / "damaged.pth").write_bytes(whole[: table + 2] + b"\xff" * 8 + whole[table + 10 :])
    assert "not a checkpoint" in explained(ModelError, "own_models:small", weights=str(tmp_path / "damaged.pth"))


def test_an_exception_whose_message_fails_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "faulty.py").write_text(
        "class Odd(Exception):\n    def __str__(self):\n        1 / 0\n\ndef build():\n    raise Odd\n"
    )
    monkeypatch.chdir(tmp_path)
    line = explained(ModelError, "faulty:build")
    assert line == "faulty:build() failed: Odd: its message fails with ZeroDivisionError"


def test_damaged_weights(tmp_path):
    whole = write_safetensors(tmp_path / "w.safetensors", state(small())).read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-40])
    (tmp_path / "head.safetensors").write_bytes(whole[:20])
    torch.save(small().state_dict(), tmp_path / "w.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "w.pth").read_bytes()[:900])
    (tmp_path / "text.pth").write_text("not weights at all")
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "zero.pth").write_bytes(bytes(4096))
    expected = {
        "cut.safetensors": "cut off, tensor",
        "head.safetensors": "not a safetensors file, or cut off in its header",
        "cut.pth": "not a checkpoint, or cut off",
        "text.pth": "not a checkpoint, or cut off",
        "empty.pth": "not a checkpoint, or cut off",
        "zero.pth": "zero.pth: not a checkpoint, or cut off",
        "none.safetensors": "none.safetensors: no such file",
    }
    for name, line in expected.items():
        said = explained(ModelError, "own_models:small", weights=str(tmp_path / name))
        assert line in said and "weights_only" not in said


def test_download_is_only_for_torchvision_and_says_when_offline(zoo, monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError("Name or service not known")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    monkeypatch.setenv("TORCH_HOME", "/nonexistent-cache")
    monkeypatch.setattr("os.makedirs", lambda *args, **kwargs: None)
    assert "can't download" in explained(ModelError, "squeezenet1_0", weights="DEFAULT")
    assert "did you mean IMAGENET1K_V1" in explained(UnknownName, "squeezenet1_0", weights="IMAGENET1K_V7")
    assert "only torchvision's models have them" in explained(ModelError, "own_models:small", weights="DEFAULT")


def test_without_torchvision_the_factory_is_asked_for(monkeypatch):
    monkeypatch.setattr("innerwalk.torch_bridge.models.build.import_torchvision", lambda: "absent")
    assert "torchvision isn't installed" in explained(ModelError, "resnet18")


# class names


def test_class_names_of_the_wrong_length(tmp_path):
    names = tmp_path / "names.json"
    names.write_text('["a", "b", "c"]')
    spec = RecordSpec("own_models:small", inputs=["noise:1:3x9x9"], classes=str(names))
    with pytest.raises(InputError, match=r"class names names.json: 3 names, the network has 4 classes"):
        record_from(spec)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('["a", "b", "c", "d"]', "a"),
        ('{"1": "b", "0": "a", "3": "d", "2": "c"}', "a"),
        ('{"0": ["n1", "a"], "1": ["n2", "b"], "2": ["n3", "c"], "3": ["n4", "d"]}', "a"),
        ('{"a": 0, "b": 1, "c": 2, "d": 3}', "a"),
    ],
)
def test_class_names_as_list_or_by_index(tmp_path, text, first):
    (tmp_path / "names.json").write_text(text)
    names = prepare(RecordSpec("own_models:small", classes=str(tmp_path / "names.json"))).names
    assert names.of(4) == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("cat\ndog", "not JSON"),
        ('{"0": "a", "2": "c"}', "2 names, but none for index 1"),
        ("[]", 'write ["cat", "dog"]'),
        ("3", 'write ["cat", "dog"]'),
        ('["a", 3]', "index 1 is 3, not a name"),
    ],
)
def test_class_names_that_arent(tmp_path, text, line):
    (tmp_path / "names.json").write_text(text)
    assert line in explained(InputError, "own_models:small", classes=str(tmp_path / "names.json"))


def test_class_names_from_the_weights_and_else_by_number(tmp_path):
    stated = write_safetensors(tmp_path / "w.safetensors", state(small()), {"classes": '["a", "b", "c", "d"]'})
    assert prepare(RecordSpec("own_models:small", weights=str(stated))).names.of(4) == ("a", "b", "c", "d")
    assert prepare(RecordSpec("own_models:small")).names.of(3) == ("class 0", "class 1", "class 2")
