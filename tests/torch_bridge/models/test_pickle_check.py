"""Pickles of a few bytes that would fill the memory or hang are refused; honest checkpoints pass."""

import io
import zipfile

import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.models.pickle_check import check_pickles  # noqa: E402
from innerwalk.torch_bridge.models.weights import load_weights  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ModelError  # noqa: E402

PAIRS = b"(K\x01K\x02tq\x00" + b"h\x00h\x00\x86q\x00" * 40
"""A pair of two pairs, and so on: 2**40 numbers."""
BOMBS = {
    "bytearray": (b"c__builtin__\nbytearray\n\x8a\x05\0\0\0\0\2\x85R", "calls __builtin__ bytearray"),
    "doubled": (b"c_codecs\nencode\nq\x01X\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R", "calls _codecs encode"),
    "hashed": (b"}" + PAIRS + b"K\x01s", "lie in each other"),
    "shown": (PAIRS + b")R", "lie in each other"),
    "called": (b"]q\x00h\x00a)R", "calls a value"),
}
"""Name -> the pickle without its frame, and what the error says of it."""


def write_zip(path, pickled):
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in (("data.pkl", pickled), ("byteorder", b"little"), ("version", b"3\n")):
                archive.writestr(f"archive/{name}", content)
        path.write_bytes(buffer.getvalue())


def write_legacy(path, pickled):
    magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    path.write_bytes(magic + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + pickled + b"\x80\x02].")


@pytest.mark.parametrize("write", [write_zip, write_legacy])
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(tmp_path, name, write):
    body, line = BOMBS[name]
    write(path := tmp_path / "weights.pt", b"\x80\x02" + body + b".")
    with pytest.raises(ModelError, match=line) as refused:
        load_weights(torch.nn.Linear(2, 2), path)
    assert "torch.save(model.state_dict(), FILE)" in str(refused.value)


@pytest.mark.parametrize("as_zip", [True, False])
def test_honest_checkpoints_pass(tmp_path, as_zip):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    optimiser = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3, 8, 8)).sum().backward()
    optimiser.step()
    kinds = {"size": torch.Size([1, 2]), "set": {1}, "kind": torch.float16, "large": 10**30, "list": [1, 2.5, None]}
    content = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "weight": model[0].weight} | kinds
    torch.save(content, path := tmp_path / "weights.pt", _use_new_zipfile_serialization=as_zip)
    check_pickles(path)
    fresh = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    load_weights(fresh, path)
    assert torch.equal(fresh[0].weight, model[0].weight)


def test_a_table_of_contents_that_python_and_torch_read_differently(tmp_path):
    torch.save(torch.nn.Linear(2, 2).state_dict(), path := tmp_path / "weights.pt")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"weights/data.pkl", b"weights/data.pk_", 1))  # the entry, not the table
    with pytest.raises(ModelError, match="not a checkpoint, or cut off"):
        load_weights(torch.nn.Linear(2, 2), path)
