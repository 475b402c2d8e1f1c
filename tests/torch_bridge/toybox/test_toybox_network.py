"""The network of the `toybox` pictures: its blocks, its shipped weights, and the script that made them."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the bridge's networks need torch")

from innerwalk.torch_bridge import record, shipped_networks, toybox  # noqa: E402
from innerwalk.torch_bridge.concepts.concepts_training import accuracy, to_network_input  # noqa: E402
from innerwalk.torch_bridge.concepts.weight_files import read_metadata  # noqa: E402
from innerwalk.torch_bridge.models.weights import load_weights  # noqa: E402
from innerwalk.torch_bridge.server.config import parse_specs, serve_config  # noqa: E402
from innerwalk.torch_bridge.toybox.train import (  # noqa: E402
    ToyboxTraining,
    halve,
    main,
    make_pictures,
    train,
    untrained_network,
)

CHECKED = 120
CARD = Path(toybox.__file__).parent / "MODEL_CARD.md"
TINY = ToyboxTraining(images=64, half_size_epochs=1, epochs=1, measured=12)


def test_the_shipped_network_is_as_good_as_its_card_says() -> None:
    """Of 120 test pictures a share has a standard error; three of them are allowed."""
    model, names = toybox.load()
    stated = float(read_metadata(toybox.WEIGHTS)["accuracy"])
    measured = accuracy(model, make_pictures("test", CHECKED, 0, lambda: None))
    assert names == toybox.CLASSES and stated >= 0.9
    assert measured >= stated - 3 * (stated * (1 - stated) / CHECKED) ** 0.5
    assert f"| {stated:.3f} |" in CARD.read_text(encoding="utf-8")


def test_the_default_picture_is_named_with_confidence() -> None:
    model, names = toybox.load()
    with torch.no_grad():
        shares = model(to_network_input(torch.from_numpy(toybox.picture()).permute(2, 0, 1)[None])).softmax(1)[0]
    assert names[int(shares.argmax())] == names[toybox.DEFAULT_INDEX % len(names)] and shares.max() > 0.9


def test_the_weights_are_small_and_float16() -> None:
    assert toybox.WEIGHTS.stat().st_size < 1_000_000
    metadata = read_metadata(toybox.WEIGHTS)
    assert json.loads(metadata["classes"]) == list(toybox.CLASSES) and json.loads(metadata["size"]) == 128


def test_it_has_residual_dense_and_attention_blocks() -> None:
    image = to_network_input(torch.from_numpy(toybox.picture()).permute(2, 0, 1)[None])
    recorded = record(untrained_network(0).eval(), image, layers=["panels"])
    shown, _ = recorded.network.folded()
    kinds = [layer.kind for layer in shown]
    assert kinds.count("add") == 3 + 3 + 4 and kinds.count("cat") == 5
    assert kinds.count("scaled_dot_product_attention") == 2 and kinds.count("Conv2d") == 32
    assert sum(layer.role == "panel" for layer in shown) == 53
    attention = next(layer for layer in shown if layer.kind == "scaled_dot_product_attention")
    assert attention.map_shape == (64, 16, 16)
    assert recorded.maps(attention.id, "attention").shape == (4, 16, 16)


def test_half_of_a_picture_is_its_mean() -> None:
    data = make_pictures("train", 2, 0, lambda: None)
    halved = halve(data).images
    wanted = data.images.float().reshape(2, 3, 64, 2, 64, 2).mean((3, 5))
    assert halved.shape == (2, 3, 64, 64) and (halved.float() - wanted).abs().max() <= 0.5


def test_training_repeats_to_the_byte(tmp_path: Path) -> None:
    """One step at each size: the same weights twice; another seed begins elsewhere."""
    files = []
    for number, settings in enumerate((TINY, TINY, ToyboxTraining(64, 1, 1, 12, seed=1))):
        train(settings, tmp_path / f"{number}.safetensors")
        files.append((tmp_path / f"{number}.safetensors").read_bytes())
    assert files[0] == files[1] != files[2]
    load_weights(toybox.network(), tmp_path / "0.safetensors")


@pytest.mark.parametrize("arguments", [["--images", "63"], ["--epochs", "0"], ["--half-size-epochs", "0"]])
def test_too_little_training_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "at least 64 images" in capsys.readouterr().err


def test_a_bridge_knows_the_network_its_picture_and_its_data() -> None:
    spec = parse_specs({"mine": {"model": "toybox"}})["mine"]
    assert spec.model == "innerwalk.torch_bridge.toybox:network" and spec.weights == str(toybox.WEIGHTS)
    (picture,) = spec.inputs
    assert picture.name == f"toybox {toybox.DEFAULT_INDEX}.png"
    assert (np.asarray(picture.content) == toybox.picture()).all()
    assert serve_config(["toybox", "object"]).data == {"toybox": "toybox", "object": "concepts:object"}


@pytest.mark.parametrize("name", shipped_networks.SHIPPED)
def test_a_shipped_network_is_found_by_what_builds_it(name: str) -> None:
    fields = shipped_networks.network_fields(name)
    assert shipped_networks.shipped_name(fields["model"], fields["arguments"]) == name
    assert shipped_networks.shipped_name("resnet50", fields["arguments"]) == ""
