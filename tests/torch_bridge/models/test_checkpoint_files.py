"""The checkpoints of a run, in the order of training whatever their names look like."""

import pytest

pytest.importorskip("torch", reason="needs torch")

import numpy as np

from innerwalk.torch_bridge.models.checkpoint_files import find_checkpoints
from innerwalk.torch_bridge.recording.errors import InputError
from innerwalk.torch_bridge.recording.safetensors import encode


@pytest.mark.parametrize(
    ("names", "axis", "labels"),
    [
        (["m_epoch_2.pt", "m_epoch_10.pt"], "epoch", ["epoch 2", "epoch 10"]),
        (["epoch=9-step=900.ckpt", "epoch=10-step=10.ckpt", "last.ckpt"], "epoch", ["epoch 9", "epoch 10", "last"]),
        (["object-epoch-00.safetensors", "object-epoch-08.safetensors"], "epoch", ["epoch 0", "epoch 8"]),
        (["EPOCH3.PTH", "epoch4.pth"], "epoch", ["epoch 3", "epoch 4"]),
        (["step 500.pt", "step 1500.pt"], "step", ["step 500", "step 1500"]),
        (["net2.pt", "net10.pt"], "checkpoint", ["net2", "net10"]),
        (["a-epoch-1.pt", "b-epoch-1.pt", "b-epoch-2.pt"], "epoch", ["a-epoch-1.pt", "b-epoch-1.pt", "epoch 2"]),
        (["epoch=1-step=20.ckpt", "epoch=1-step=3.ckpt"], "epoch", ["epoch=1-step=3.ckpt", "epoch=1-step=20.ckpt"]),
        (["lr1e-5.pt", "deep10.pt"], "checkpoint", ["deep10", "lr1e-5"]),
    ],
)
def test_checkpoints_come_in_the_order_of_training(tmp_path, names, axis, labels):
    for name in [*reversed(names), "notes.txt", ".epoch-1.pt"]:
        (tmp_path / name).touch()
    found = find_checkpoints(tmp_path)
    assert found.axis == axis and [label for label, _ in found.checkpoints] == labels
    assert all(path.is_file() for _, path in found.checkpoints)


def test_folders_of_transformers_are_checkpoints(tmp_path):
    for step in (1000, 500):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "model.safetensors").touch()
        (tmp_path / f"checkpoint-{step}" / "optimizer.pt").touch()
    (tmp_path / "logs").mkdir()
    found = find_checkpoints(tmp_path)
    assert [label for label, _ in found.checkpoints] == ["step 500", "step 1000"]
    assert {path.name for _, path in found.checkpoints} == {"model.safetensors"}


@pytest.mark.parametrize(
    ("folder", "said"), [("gone", "a folder of checkpoints is needed"), (".", "0 checkpoints; 1 to")]
)
def test_a_folder_without_checkpoints_is_one_line(tmp_path, folder, said):
    with pytest.raises(InputError, match=said):
        find_checkpoints(tmp_path / folder)


def write_weights(folder, epochs):
    """Writes small safetensors files, by name with the epoch in their metadata; None for one without."""
    for name, epoch in epochs.items():
        metadata = {} if epoch is None else {"epoch": epoch}
        (folder / name).write_bytes(b"".join(encode({"a": np.zeros(1, np.float32)}, metadata)))


def test_files_without_an_epoch_are_known_as_such_and_the_metadata_may_say_it(tmp_path):
    for name in ("epoch-1.pt", "epoch-2.pt", "best.pt"):
        (tmp_path / name).touch()
    found = find_checkpoints(tmp_path)
    assert [label for label, _ in found.checkpoints] == ["epoch 1", "epoch 2", "best"] and found.unnumbered == ("best",)
    write_weights(tmp_path, {"final.safetensors": "3", "odd.safetensors": "three", "plain.safetensors": None})
    (tmp_path / "damaged.safetensors").write_bytes(b"none")
    found = find_checkpoints(tmp_path)
    labels = ["epoch 1", "epoch 2", "epoch 3", "best", "damaged", "odd", "plain"]
    assert [label for label, _ in found.checkpoints] == labels and found.unnumbered == tuple(labels[3:])
    assert found.axis == "epoch"


def test_where_no_file_says_its_epoch_none_is_less_known(tmp_path):
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).touch()
    assert find_checkpoints(tmp_path).unnumbered == ()


def test_several_files_of_one_epoch_keep_their_names(tmp_path):
    write_weights(tmp_path, {"object.safetensors": "12", "pair.safetensors": "12"})
    (tmp_path / "object-epoch-08.safetensors").touch()
    labels = [label for label, _ in find_checkpoints(tmp_path).checkpoints]
    assert labels == ["epoch 8", "object, epoch 12", "pair, epoch 12"]
