"""Files of strangers: whatever they are, they are refused at once with one line, and never waited for."""

import io
import json
import os
import socket
import threading
import zipfile

import pytest

from innerwalk.torch_bridge import client
from innerwalk.torch_bridge.recording import load, safetensors
from innerwalk.torch_bridge.recording.errors import InnerwalkError
from innerwalk.torch_bridge.recording.files import (
    MAX_DEPTH,
    is_weights_name,
    open_file,
    open_zip,
    parse_json,
    read_file,
    user_path,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs pipes and devices with names")
SECONDS = 5.0


def no_file(kind, path):
    """Makes something that is no regular file."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to a pipe":
        os.mkfifo(path.with_suffix(".fifo"))
        path.symlink_to(path.with_suffix(".fifo"))
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)  # the path of a socket is short
        try:
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(path.name)
        finally:
            os.chdir(here)
    else:
        path.mkdir()
    return path


KINDS = {"pipe": "a pipe", "link to a pipe": "a pipe", "device": "a device", "socket": "a socket", "folder": "a folder"}


def outcome(read, *args):
    """What a function raises; fails if it waits."""
    raised = []

    def run():
        try:
            read(*args)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive(), "it waits for the file"
    assert raised, "nothing was refused"
    return raised[0]


@pytest.mark.parametrize("kind", KINDS)
def test_only_regular_files_are_opened(tmp_path, kind):
    error = outcome(open_file, no_file(kind, tmp_path / "x"))
    assert isinstance(error, OSError) and KINDS[kind] in error.strerror


def test_a_file_and_a_link_to_one_are_opened(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    assert read_file(tmp_path / "link", 3) == b"abc"
    with pytest.raises(OSError, match="at most 2 bytes"):
        read_file(tmp_path / "x", 2)


def test_a_file_that_states_no_size_is_read_to_the_limit():
    with pytest.raises(OSError, match="too large"):
        read_file("/proc/self/environ", 3)  # its size is 0, its content isn't


def test_null_characters():
    with pytest.raises(OSError, match="null character"):
        open_file("a\0b")


@pytest.mark.parametrize("text", ["[" * 20_000, "[" * 20_000 + "]" * 20_000, '{"a":' * 500 + "1" + "}" * 500])
def test_deep_json(text):
    with pytest.raises(ValueError, match=f"more than {MAX_DEPTH} deep"):
        parse_json(text)


def test_json_that_is_just_deep_enough():
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(parse_json(deep)) == deep
    with pytest.raises(ValueError, match="deep"):
        parse_json(f"[{deep}]")


def readers():
    """Functions that open a file that a person names, by the name that it has."""
    found = {
        "recording.json": lambda path: load(path.parent),
        "maps.safetensors": safetensors.open_arrays,
        "picture.png": client.file,
        "connection.json": client.read_connection,
    }
    try:
        import torch
    except ImportError:
        return found
    from innerwalk.torch_bridge.data import open_data
    from innerwalk.torch_bridge.inputs.image_files import open_picture
    from innerwalk.torch_bridge.inputs.sound_files import read_sound
    from innerwalk.torch_bridge.inputs.tensor_files import read_tensor
    from innerwalk.torch_bridge.inputs.tokens import read_vocabulary
    from innerwalk.torch_bridge.models.build import build_model
    from innerwalk.torch_bridge.models.weights import load_weights
    from innerwalk.torch_bridge.predictions.class_names import read_class_names
    from innerwalk.torch_bridge.server.config import serve_config
    from innerwalk.torch_bridge.video import open_video

    return found | {
        "input.png": open_picture,
        "input.npy": read_tensor,
        "input.npz": read_tensor,
        "input.safetensors": read_tensor,
        "input.wav": read_sound,
        "words.txt": read_vocabulary,
        "names.json": read_class_names,
        "networks.json": lambda path: serve_config([], path),
        "weights.safetensors": lambda path: load_weights(torch.nn.Linear(1, 1), path),
        "weights.pt": lambda path: load_weights(torch.nn.Linear(1, 1), path),
        "net.pt2": lambda path: build_model(str(path), trust=True),
        "pictures.zip": lambda path: open_data(str(path)),
        "train-images-idx3-ubyte": lambda path: open_data(str(path)),
        "film.mp4": lambda path: open_video(str(path)),
    }


READERS = readers()


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_what_is_no_file(tmp_path, name, kind):
    path = no_file(kind, tmp_path / name)
    error = outcome(READERS[name], path)
    assert isinstance(error, InnerwalkError), repr(error)
    line = str(error)
    assert tmp_path.name in line or name in line
    assert "\n" not in line and (KINDS[kind] in line or "no such folder or file" in line)


@pytest.mark.parametrize("name", [name for name in READERS if name.endswith(".json")])
def test_deep_json_files_are_refused(tmp_path, name):
    (tmp_path / name).write_text("[" * 20_000)
    error = outcome(READERS[name], tmp_path / name)
    assert isinstance(error, InnerwalkError) and "\n" not in str(error)


def test_paths_of_unknown_users_and_of_any_length():
    assert str(user_path("~nobody-of-this-name/x")) == "~nobody-of-this-name/x"
    assert str(user_path("~/x")) == os.path.join(os.path.expanduser("~"), "x")
    assert is_weights_name("A" * 300) and not is_weights_name("a" * 300)


def test_a_zip_of_millions_of_files_is_refused_before_they_are_listed(monkeypatch):
    monkeypatch.setattr("innerwalk.torch_bridge.recording.files.MAX_LISTING", 2000)
    for count, is_read in ((10, True), (100, False)):
        with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}.txt", f"text {number}")
        if is_read:
            assert open_zip(packed).read("7.txt") == b"text 7"
        else:
            with pytest.raises(OSError, match="its table of contents is too large; a zip of fewer files is needed"):
                open_zip(packed)


def test_a_large_zip_may_have_a_long_table_of_contents(monkeypatch):
    monkeypatch.setattr("innerwalk.torch_bridge.recording.files.MAX_LISTING", 2000)
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        for number in range(100):
            archive.writestr(f"{number}.txt", bytes(2000))
    assert open_zip(packed).read("99.txt") == bytes(2000)


def test_half_a_character_is_in_no_name():
    """JSON can hold such texts, so files of networks can name such files."""
    with pytest.raises(OSError, match="its name has characters that no file's has"):
        open_file("a\ud800")
