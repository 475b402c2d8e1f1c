"""Tensors from files keep their dtype and shape; what else a file holds is refused in one line."""

import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.inputs import tensor_files  # noqa: E402
from innerwalk.torch_bridge.inputs.tensor_files import read_tensor, split_name  # noqa: E402
from innerwalk.torch_bridge.recording import safetensors  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402

KINDS = [np.float64, np.float32, np.float16, np.int64, np.int32, np.int16, np.uint8, np.bool_]


def refused(path, name="", error=InputError) -> str:
    with pytest.raises(error) as raised:
        read_tensor(path, name)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("kind", KINDS)
def test_values_come_as_they_are(tmp_path, kind):
    array = np.arange(6).reshape(1, 2, 3).astype(kind)
    np.save(tmp_path / "a.npy", array)
    np.savez_compressed(tmp_path / "a.npz", mask=array, other=array[0])
    (tmp_path / "a.safetensors").write_bytes(b"".join(safetensors.encode({"mask": array, "other": array[0]})))
    for path, name in (("a.npy", ""), ("a.npz", "mask"), ("a.safetensors", "mask")):
        for content in (None, (tmp_path / path).read_bytes()):
            tensor = read_tensor(tmp_path / path, name, content)
            assert tensor.numpy().dtype == kind and np.array_equal(tensor.numpy(), array)
    assert read_tensor(tmp_path / "a.npz", "other").shape == (2, 3)


def test_bfloat16_and_single_numbers(tmp_path):
    library = pytest.importorskip("safetensors.torch", reason="needs safetensors")
    library.save_file({"x": torch.tensor([1.5, -2], dtype=torch.bfloat16)}, tmp_path / "b.safetensors")
    assert read_tensor(tmp_path / "b.safetensors").tolist() == [1.5, -2]
    assert read_tensor(tmp_path / "b.safetensors").dtype == torch.bfloat16
    np.save(tmp_path / "step.npy", np.float32(7))
    assert read_tensor(tmp_path / "step.npy").shape == ()


def test_a_name_follows_the_file(tmp_path):
    assert split_name("x/a.npz:in:put") == (tensor_files.Path("x/a.npz"), "in:put")
    assert split_name("a.safetensors:x") == (tensor_files.Path("a.safetensors"), "x")
    assert split_name("a.npy") == (tensor_files.Path("a.npy"), "")
    (tmp_path / "a.npz:b.npy").touch()
    assert split_name(str(tmp_path / "a.npz:b.npy")) == (tmp_path / "a.npz:b.npy", "")


def test_the_tensor_must_be_named_where_there_are_several(tmp_path):
    arrays = {"first": np.ones(2, np.float32), "second": np.ones(3, np.float32)}
    np.savez(tmp_path / "a.npz", **arrays)
    (tmp_path / "a.safetensors").write_bytes(b"".join(safetensors.encode(arrays)))
    for name in ("a.npz", "a.safetensors"):
        assert f"2 tensors; name one as {name}:NAME; there are first, second" in refused(tmp_path / name)
        assert "did you mean first" in refused(tmp_path / name, "frist", UnknownName)


def test_files_that_arent(tmp_path):
    np.savez(tmp_path / "objects.npz", a=np.array([{}], object))
    np.savez(tmp_path / "whole.npz", a=np.zeros(4))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:60])
    (tmp_path / "text.npz").write_text("no zip")
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("a.npy", b"no array")
    body = b"".join(safetensors.encode({"a": np.zeros(4, np.float32)}))
    (tmp_path / "cut.safetensors").write_bytes(body[:-4])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    np.savez(tmp_path / "text_array.npz", a=np.array(["a"]))
    np.save(tmp_path / "none.npy", np.zeros((0, 3)))
    np.save(tmp_path / "complex.npy", np.zeros(3, np.complex64))
    for name in ("objects.npz", "cut.npz", "text.npz", "other.npz"):
        assert "not a .npz file of plain numbers" in refused(tmp_path / name)
    assert "cut off" in refused(tmp_path / "cut.safetensors")
    assert "can't be read" in refused(tmp_path / "empty.safetensors")
    assert "numbers of at most 64 bits" in refused(tmp_path / "text_array.npz")
    assert "numbers of at most 64 bits" in refused(tmp_path / "complex.npy")
    assert "it is empty, 0×3" in refused(tmp_path / "none.npy")
    for name in ("no.npy", "no.npz", "no.safetensors"):
        assert "no such file" in refused(tmp_path / name)


def test_a_small_npz_cant_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tensor_files, "MAX_SURPLUS", 1 << 20)
    for size, is_read in ((1 << 20, True), (5 << 18, False)):
        np.savez_compressed(tmp_path / "b.npz", x=np.zeros(size, np.uint8))
        if is_read:
            assert read_tensor(tmp_path / "b.npz").shape == (size,)
        else:
            assert "it unpacks to more than 1 MiB; save it as .npy" in refused(tmp_path / "b.npz")
