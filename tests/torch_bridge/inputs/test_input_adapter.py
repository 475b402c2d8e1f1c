"""What a network gets for the inputs that a user names, by position and by name."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)  # two on a busy machine wait for each other most of the time

from innerwalk.tests.support import SUPPORT  # noqa: E402
from innerwalk.torch_bridge.inputs.input_adapter import make_input_adapter  # noqa: E402
from innerwalk.torch_bridge.inputs.sources import replace_first  # noqa: E402
from innerwalk.torch_bridge.models.build import BuiltModel  # noqa: E402
from innerwalk.torch_bridge.models.torchvision_import import import_torchvision  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError, UnknownName  # noqa: E402
from innerwalk.torch_bridge.server.config import parse_specs  # noqa: E402
from innerwalk.torch_bridge.server.loaded_model import LoadedModel  # noqa: E402
from innerwalk.torch_bridge.server.priority_lock import PriorityLock  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, default_sources, prepare, record_from  # noqa: E402


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))
    monkeypatch.chdir(tmp_path)


def arguments(model: str, *inputs, **more) -> tuple:
    """The arguments of `forward`, named ones last, without running the network."""
    spec = RecordSpec(f"input_models:{model}", inputs=inputs, **more)
    subject = prepare(spec)
    return subject.adapter.arguments(subject.adapter.read(default_sources(spec, subject.built), spec.index))


def refused(model: str, *inputs, error=InputError, **more) -> str:
    with pytest.raises(error) as raised:
        record_from(RecordSpec(f"input_models:{model}", inputs=inputs, **more))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_size_of_the_network_goes_before_that_of_weights_that_are_not_loaded():
    import_torchvision()
    torchvision = pytest.importorskip("torchvision", reason="needs torchvision")
    module = torchvision.models.VisionTransformer(32, 16, 1, 1, 8, 8)
    built = BuiltModel(module, "vit_h_14", preset=torchvision.models.ViT_H_14_Weights.DEFAULT)  # of 518 × 518
    assert make_input_adapter(built, {}, ("", {})).preprocessing.size == (32, 32)


# by position and by name


def test_inputs_by_name_reach_their_arguments():
    np.save("mask.npy", np.array([[True, False, True]]))
    for inputs, keywords in (
        (["ids:1,2,3"], {"mask": "mask.npy", "scale": "noise:1:1"}),
        (["ids:1,2,3", "mask.npy"], {"scale": "noise:1:1"}),
        ([], {"scale": "noise:1:1", "mask": "mask.npy", "ids": "ids:1,2,3"}),
    ):
        ids, mask, named = arguments("Masked", *inputs, keywords=keywords)
        assert (ids.dtype, ids.tolist()) == (torch.int64, [[1, 2, 3]])
        assert (mask.dtype, mask.tolist()) == (torch.bool, [[True, False, True]])
        assert list(named) == ["scale"] and named["scale"].shape == (1, 1)


def test_missing_inputs_are_named_before_anything_runs():
    assert refused("Masked", "ids:1,2").endswith("forward also needs mask, scale; give 2 more inputs")
    line = refused("Masked", "ids:1,2", "ids:1,1")
    assert line.endswith("forward also needs scale; give one more input, or --keyword scale=INPUT")
    assert "forward takes 2 inputs (ids, mask), 3 given" in refused("Masked", *["ids:1"] * 3)
    assert "mask is given both by position and by name" in refused(
        "Masked", "ids:1", "ids:1", keywords={"mask": "ids:1"}
    )
    assert "did you mean mask" in refused("Masked", "ids:1", keywords={"maks": "ids:1"}, error=UnknownName)


def test_a_recording_with_names_says_what_was_done():
    np.save("mask.npy", np.array([[True, False, True]]))
    np.save("scale.npy", np.array([[2.0]]))
    found = record_from(
        RecordSpec(
            "input_models:Masked", inputs=["ids:1,2,3"], keywords={"mask": "mask.npy", "scale": "scale.npy"}, layers=()
        )
    )
    assert found.input_name == "ids:1,2,3 + mask.npy + scale.npy"
    assert found.provenance["preprocessing"] == (
        "3 tokens as they are; mask: values as in the file, 3 bool; "
        "scale: values as in the file, 1 float64, converted to the network's float32"
    )
    table = prepare(RecordSpec("input_models:Masked")).built.module.table.weight.detach()
    shares = torch.softmax(table[[1, 3]].mean(0) * 2, 0)
    assert found.prediction.top[0][2] == pytest.approx(float(shares.max()), abs=1e-5)


def test_a_bridge_takes_the_inputs_of_a_recording():
    """A file of networks names them as the command line does; a request replaces the first ones."""
    np.save("mask.npy", np.array([[True, False]]))
    words = "\n".join(["[UNK]", "a", "cat"])
    with open("words.txt", "w") as file:
        file.write(words)
    fields = {
        "model": "input_models:Masked",
        "keywords": {"ids": "text:a cat", "mask": "mask.npy", "scale": "noise:1:1"},
        "vocabulary": "words.txt",
    }
    live = LoadedModel("mine", parse_specs({"mine": fields}, trust=True)["mine"], torch.device("cpu"), PriorityLock())
    ids, mask, named = live.subject.adapter.arguments(live.read(live.default_sources))
    assert (ids.tolist(), mask.tolist(), list(named)) == ([[1, 2]], [[True, False]], ["scale"])
    ids, mask, _ = live.subject.adapter.arguments(live.read(replace_first(live.default_sources, ["ids:7,8"])))
    assert (ids.tolist(), mask.tolist()) == ([[7, 8]], [[True, False]])


def test_a_bridge_says_which_inputs_a_network_of_words_needs():
    """Its other arguments can't be guessed: nothing states whether they are pictures, masks or numbers."""
    specs = parse_specs({"mine": {"model": "input_models:Masked"}}, trust=True)
    live = LoadedModel("mine", specs["mine"], torch.device("cpu"), PriorityLock())
    assert live.input_names == ["ids", "mask"]
    for sources in ([], ["ids:1,2"]):
        with pytest.raises(InputError, match="Masked: forward also needs mask, scale; give 2 more inputs"):
            live.read(replace_first(live.default_sources, sources))


def test_a_recording_of_tensors_says_that_it_reads_no_files():
    from innerwalk.tests.support.input_models import tokens
    from innerwalk.torch_bridge import ask, record

    for inputs in ("ids:1,2", {"ids": "cat.png"}, ("noise:1",)):
        with pytest.raises(InputError, match="isn't read here: pass a tensor, or make a hall with Hall.of"):
            record(tokens(), inputs)
        with pytest.raises(InputError, match="isn't read here"):
            ask(tokens(), inputs, "saliency")


# dtypes and shapes


@pytest.mark.parametrize(
    ("model", "kind", "wanted"),
    [
        ("tokens", np.int32, torch.int32),
        ("tokens", np.int64, torch.int64),
        ("tokens", np.int16, torch.int64),
        ("rows", np.float64, torch.float32),
        ("rows", np.float16, torch.float32),
        ("rows", np.int64, torch.float32),
        ("rows", np.bool_, torch.float32),
    ],
)
def test_the_first_input_gets_a_dtype_that_its_layer_takes(model, kind, wanted):
    np.save("a.npy", np.ones((1, 4), kind))
    (values,) = arguments(model, "a.npy")
    assert values.dtype == wanted and values.tolist() == [[1] * 4]


def test_further_inputs_keep_their_shape():
    """A causal mask (L, L) is no batch, though it has several rows."""
    np.save("causal.npy", np.tril(np.ones((3, 3), bool)))
    assert arguments("Masked", "ids:1,2,3", "causal.npy", keywords={"scale": "noise:1:1"})[1].shape == (3, 3)


def test_further_inputs_of_a_batch_are_those_of_the_sample():
    np.save("ids.npy", np.arange(6).reshape(2, 3))
    np.save("mask.npy", np.array([[True] * 3, [False] * 3]))
    ids, mask, _ = arguments("Masked", "ids.npy", "mask.npy", keywords={"scale": "noise:1:1"}, index=1)
    assert ids.tolist() == [[3, 4, 5]] and mask.tolist() == [[False] * 3]


# tokens and words


def test_words_need_a_vocabulary():
    assert "no vocabulary; name its file" in refused("tokens", "text:a cat")
    with open("words.txt", "w") as file:
        file.write("[UNK]\na\ncat\n")
    (values,) = arguments("tokens", "text:A cat barks", vocabulary="words.txt")
    assert values.tolist() == [[1, 2, 0]]
    assert "token 99: the network knows 20 tokens, from 0 to 19" in refused("tokens", "ids:1,99")
    assert "vocabulary none.txt: no such file" in refused("tokens", "text:a", vocabulary="none.txt")


# sounds


def write_sound(name: str, samples: int = 400) -> np.ndarray:
    import wave

    numbers = (np.sin(np.arange(samples)) * 30_000).astype("<i2")
    with wave.open(name, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(numbers.tobytes())
    return numbers / 32768


@pytest.mark.parametrize(("model", "shape"), [("waves", (1, 1, 400)), ("Unsqueezing", (1, 400))])
def test_sounds_have_the_rank_that_the_network_runs_on(model, shape):
    wanted = write_sound("a.wav")
    (values,) = arguments(model, "a.wav")
    assert values.shape == shape and np.allclose(values.flatten(), wanted, atol=1e-6)
    found = record_from(RecordSpec(f"input_models:{model}", inputs=["a.wav"], layers=()))
    assert found.provenance["preprocessing"] == "16-bit mono sound scaled to -1..1, 400 samples at 8,000 Hz"


def test_a_sound_is_no_picture():
    write_sound("a.wav")
    line = refused("pictures", "a.wav")
    assert line == "a sound of 1 channels doesn't fit inputs such as 3×224×224; give an array as .npy"


# what the network itself refuses


def test_wrong_shapes_and_dtypes_are_one_line():
    np.save("wide.npy", np.ones((1, 9), np.float32))
    np.save("floats.npy", np.ones((1, 4), np.float32))
    assert "failed on inputs of shape (1, 9)" in refused("rows", "wide.npy", error=ModelError)
    assert "failed on inputs of shape (1, 4)" in refused("tokens", "floats.npy", error=ModelError)
