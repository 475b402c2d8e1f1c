"""Every kind of input, good and wrong: it ends in the right values, or in one line of InputError."""

import io
import json
import wave
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
Image = pytest.importorskip("PIL.Image", reason="needs Pillow")

from innerwalk.tests.support import scans, sounds  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.inputs.sources import NamedContent, Source, read_input  # noqa: E402
from innerwalk.torch_bridge.inputs.tokens import Vocabulary  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402

GREY = Preprocessing(channels=1)
BYTES = (np.arange(48).reshape(6, 8) * 5).astype(np.uint8)
DEEP = BYTES.astype(np.uint16) * 257
FLOATS = np.linspace(-1, 1, 96, dtype=np.float32).reshape(2, 6, 8)
SHARES = BYTES / 255.0
WORDS = Vocabulary("words.txt", {"a": 1, "cat": 2})


def saved(values: np.ndarray, format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format)
    return buffer.getvalue()


def array_file(values: np.ndarray, packed: bool = False) -> bytes:
    buffer = io.BytesIO()
    if packed:
        np.savez(buffer, only=values)
    else:
        np.save(buffer, values)
    return buffer.getvalue()


def tensors_file(values: np.ndarray, dtype: str = "F32", shape: list[int] | None = None) -> bytes:
    body = values.tobytes()
    entry = {"dtype": dtype, "shape": list(values.shape) if shape is None else shape, "data_offsets": [0, len(body)]}
    header = json.dumps({"only": entry}).encode()
    return len(header).to_bytes(8, "little") + header + body


def wave_file(values: np.ndarray, width: int = 2) -> bytes:
    """values: (2, samples), -1..1."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setparams((len(values), width, 8000, 0, "NONE", ""))
        sound.writeframes((values.T * 32767).astype("<i2").tobytes()[: values.size * width])
    return buffer.getvalue()


def flac(values: np.ndarray) -> bytes:
    """values: (2, samples), -1..1."""
    return sounds.encode(".flac", "flac", "s16", values)


def swapped(content: bytes, old: bytes, new: bytes) -> bytes:
    """content: of a file. The first `old` is replaced."""
    assert old in content and len(old) == len(new)
    return content.replace(old, new, 1)


class Kind(NamedTuple):
    """One kind of input: how it is made, what a network gets, and what is wrong with three others."""

    name: str
    good: Callable[[], Source | bytes]
    values: np.ndarray
    truncated: Callable[[], Source | bytes]
    wrong_shape: Callable[[], Source | bytes]
    wrong_dtype: Callable[[], Source | bytes]
    takes: tuple[int, ...] = (1, 6, 8)
    """Shape of one sample."""
    tokens: int = 0
    package: str = "torch"


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


TONE = sounds.tone()
LARGE = np.zeros((70_000, 1_000), np.uint8)
CUBE = (FLOATS * 100).astype(np.int16)
KINDS = [
    Kind(
        "a.png", lambda: saved(BYTES, "png"), SHARES[None], lambda: cut(saved(BYTES, "png")),
        lambda: saved(LARGE, "png"), lambda: swapped(saved(BYTES, "png"), b"\x08\0\0\0\0", b"\x07\0\0\0\0"),
    ),
    Kind(
        "deep.png", lambda: saved(DEEP, "png"), SHARES[None], lambda: cut(saved(DEEP, "png")),
        lambda: saved(LARGE, "png"), lambda: swapped(saved(DEEP, "png"), b"\x10\0\0\0\0", b"\x11\0\0\0\0"),
    ),
    Kind(
        "a.tiff", lambda: saved(DEEP, "tiff"), SHARES[None], lambda: saved(DEEP, "tiff")[:40],
        lambda: saved(LARGE, "tiff"), lambda: array_file(DEEP),
    ),
    Kind(
        "a.npy", lambda: array_file(FLOATS[:1]), FLOATS[:1], lambda: cut(array_file(FLOATS)),
        lambda: array_file(FLOATS[:0]), lambda: array_file(np.array(["a", "b"])),
    ),
    Kind(
        "a.npz", lambda: array_file(FLOATS[:1], True), FLOATS[:1], lambda: cut(array_file(FLOATS, True)),
        lambda: array_file(FLOATS[:0], True), lambda: array_file(FLOATS.astype(np.complex64), True),
    ),
    Kind(
        "a.safetensors", lambda: tensors_file(FLOATS[:1]), FLOATS[:1], lambda: cut(tensors_file(FLOATS)),
        lambda: tensors_file(FLOATS, shape=[2, 6, 9]), lambda: tensors_file(FLOATS, "F33"),
    ),
    Kind(
        "a.wav", lambda: wave_file(TONE), TONE, lambda: cut(wave_file(TONE)),
        lambda: wave_file(np.concatenate([TONE, TONE[:1]])),
        lambda: swapped(wave_file(TONE), b"\x01\0\x02\0", b"\x03\0\x02\0"), (2, 4000),
    ),
    Kind(
        "a.flac", lambda: flac(TONE), TONE, lambda: cut(flac(TONE)), lambda: flac(TONE[:, :0]), lambda: wave_file(TONE),
        (2, 4000), 0, "av",
    ),
    Kind(
        "a.dcm", lambda: scans.dicom(BYTES, WindowCenter=128, WindowWidth=256), SHARES[None],
        lambda: cut(scans.dicom(BYTES)),
        lambda: scans.dicom(BYTES, Rows=60), lambda: scans.dicom(BYTES, BitsAllocated=12), package="pydicom",
    ),
    Kind(
        "a.nii", lambda: scans.nifti(CUBE), CUBE[None], lambda: cut(scans.nifti(CUBE)),
        lambda: scans.nifti(CUBE, dim=[3, 2, 6, 80, 1, 1, 1, 1]), lambda: scans.nifti(CUBE.astype(np.complex64)),
        (1, 2, 6, 8), 0, "nibabel",
    ),
    Kind(
        "a.nii.gz", lambda: scans.nifti(CUBE, packed=True), CUBE[None], lambda: cut(scans.nifti(CUBE, packed=True)),
        lambda: scans.nifti(CUBE, packed=True, dim=[6, 2, 6, 8, 1, 1, 2, 1]),
        lambda: scans.nifti(CUBE.astype(np.complex128), packed=True), (1, 2, 6, 8), 0, "nibabel",
    ),
    Kind(
        "ids", lambda: "ids:1,2,3", np.array([1, 2, 3]), lambda: "ids:1,2,", lambda: "ids:1;2",
        lambda: "ids:1.5,2", (3,), 9,
    ),
    Kind(
        "text", lambda: "text:a cat", np.array([1, 2]), lambda: "text:", lambda: "text:" + "a " * 200_000,
        lambda: "text:dog", (3,), 9,
    ),
    Kind(
        "noise", lambda: "noise:7:1x6x8", np.random.default_rng(7).standard_normal((1, 6, 8), np.float32),
        lambda: "noise:7:1x", lambda: "noise:7:0x6", lambda: "noise:seven",
    ),
]  # fmt: skip
READERS = [pytest.param(kind, id=kind.name) for kind in KINDS]


def read(kind: Kind, made: Source | bytes) -> Any:
    source = NamedContent(kind.name, made) if isinstance(made, bytes) else made
    return read_input(source, GREY, kind.takes, kind.tokens, vocabulary=WORDS)


@pytest.fixture
def kind(request) -> Kind:
    if find_spec(request.param.package) is None:
        pytest.skip(f"needs {request.param.package}")
    return request.param


@pytest.mark.parametrize("kind", READERS, indirect=True)
def test_a_good_one_gives_its_values(kind):
    found = read(kind, kind.good())
    assert found.values.shape == (1, *kind.values.shape)
    assert np.allclose(found.values[0].numpy(), kind.values, atol=1e-4)
    assert found.picture.ndim == 3 and found.picture.dtype == np.uint8 and found.preprocessing


@pytest.mark.parametrize("kind", READERS, indirect=True)
@pytest.mark.parametrize("wrong", ["truncated", "wrong_shape", "wrong_dtype"])
def test_a_wrong_one_is_one_line(kind, wrong):
    with pytest.raises(InputError) as error:
        read(kind, getattr(kind, wrong)())
    assert "\n" not in str(error.value) and len(str(error.value)) > 20
