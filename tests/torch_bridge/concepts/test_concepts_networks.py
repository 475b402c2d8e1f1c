"""The networks trained on the `concepts` pictures: their accuracy, their files, and the script that made them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the bridge's networks need torch")

from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge.concepts import SPLITS, TASKS  # noqa: E402
from innerwalk.torch_bridge.concepts.concepts_training import (  # noqa: E402
    ConceptsTraining,
    accuracy,
    make_pictures,
    to_network_input,
)
from innerwalk.torch_bridge.concepts.train import main, train_to_folder, untrained_network  # noqa: E402
from innerwalk.torch_bridge.concepts.weight_files import read_metadata, snapshots, weights_path, write_weights  # noqa: E402
from innerwalk.torch_bridge.models.weights import load_weights  # noqa: E402
from innerwalk.torch_bridge.recording.errors import UnknownName  # noqa: E402

CHECKED = 120


@pytest.mark.parametrize("task", TASKS)
def test_shipped_networks_are_as_good_as_their_card_says(task):
    """On 120 pictures a share of .98 has a standard error of .013; three of them are allowed."""
    model, names = concepts.load(task)
    stated = float(read_metadata(weights_path(task))["accuracy"])
    measured = accuracy(model, make_pictures(task, SPLITS["test"], CHECKED, 0, lambda: None))
    assert names == TASKS[task] and stated >= 0.93
    assert measured >= stated - 3 * (stated * (1 - stated) / CHECKED) ** 0.5


def test_the_default_picture_is_named_with_confidence():
    model, names = concepts.load()
    image = torch.from_numpy(concepts.picture()).permute(2, 0, 1)[None]
    with torch.no_grad():
        shares = model(to_network_input(image)).softmax(1)[0]
    assert names[int(shares.argmax())] == "ring" and shares.max() > 0.99


def test_snapshots_learn_towards_the_trained_network():
    """Snapshot 0 is the untrained network of the settings in float16; later ones come nearer to the trained weights."""
    final = concepts.load()[0].stage3[1].conv2.weight
    weights = []
    for path in snapshots("object"):
        model = concepts.network()
        load_weights(model, path)
        weights.append(model.stage3[1].conv2.weight)
    first = untrained_network(ConceptsTraining("object")).stage3[1].conv2.weight
    assert torch.equal(weights[0], first.half().float())
    distances = [float((weight - final).detach().norm()) for weight in weights]
    assert distances == sorted(distances, reverse=True)


def test_class_activation_is_exact():
    """Pooled last maps times the last weights are the logits, as class activation maps assume."""
    model, _ = concepts.load()
    x = to_network_input(torch.from_numpy(np.stack([concepts.picture(k) for k in range(4)])).permute(0, 3, 1, 2))
    with torch.no_grad():
        maps = model.stage3(model.stage2(model.stage1(model.stem(x))))
        assert maps.shape == (4, 72, 8, 8)
        logits = torch.einsum("kc,nchw->nk", model.fc.weight, maps) / 64 + model.fc.bias
        torch.testing.assert_close(model(x), logits)


def trained_files(folder: Path) -> dict[str, bytes]:
    train_to_folder(ConceptsTraining("pair", images=8, epochs=1, batch=4), folder, (0, 1), measured=4)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_training_repeats_to_the_byte(tmp_path):
    """Two steps: the same files twice; another seed begins elsewhere."""
    once = trained_files(tmp_path / "a")
    assert sorted(once) == ["pair-epoch-00.safetensors", "pair-epoch-01.safetensors", "pair.safetensors"]
    assert trained_files(tmp_path / "b") == once
    first, other = (untrained_network(ConceptsTraining("pair", seed=seed)).fc.weight for seed in (0, 1))
    assert not torch.equal(first, other)


def test_the_training_command_writes_what_it_says(tmp_path, capsys):
    assert main(["pair", "--images", "64", "--epochs", "1", "--measured", "4", "--folder", str(tmp_path)]) == 0
    metadata = read_metadata(tmp_path / "pair.safetensors")
    assert json.loads(metadata["images"]) == 64 and json.loads(metadata["classes"]) == list(TASKS["pair"])
    load_weights(concepts.network("pair"), tmp_path / "pair.safetensors")
    output = capsys.readouterr().err
    assert "1 of 1, 0 s left" in output and f"in float16 {float(metadata['accuracy']):.4f}" in output


def test_training_without_a_full_batch_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["object", "--images", "10", "--folder", str(tmp_path / "none")])
    assert "at least 64 images" in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "object.safetensors"
    target.write_bytes(b"old")

    class Interrupted:
        def numpy(self) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_weights(target, {"fc.bias": Interrupted()}, {})
    assert target.read_bytes() == b"old" and [path.name for path in tmp_path.iterdir()] == [target.name]


def test_the_safetensors_library_reads_the_weights():
    library = pytest.importorskip("safetensors.torch", reason="safetensors is a development tool")
    state = library.load_file(weights_path("object"))
    ours = concepts.load()[0].state_dict()
    assert state.keys() == ours.keys()
    assert all(torch.equal(state[name].to(value.dtype), value) for name, value in ours.items())


def test_unknown_tasks_are_refused():
    with pytest.raises(UnknownName, match="did you mean pair"):
        concepts.network("pairs")
