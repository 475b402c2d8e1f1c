"""Recordings that are replaced while they are read, and folders that are links."""

import json
import os

import numpy as np
import pytest

from innerwalk.bench.fuzz_recordings import sample
from innerwalk.torch_bridge.recording import ACTIVATIONS, load, storage
from innerwalk.torch_bridge.recording.errors import RecordingError
from innerwalk.torch_bridge.recording.writing import DOCUMENT


def another(value: float):
    """A recording of the same network with other values."""
    recording = sample()
    recording.maps("a", ACTIVATIONS).texels[:] = value
    return recording


def test_a_recording_in_use_keeps_its_values_when_another_replaces_it(tmp_path):
    folder = another(1).save(tmp_path / "r")
    opened = load(folder).maps("a", ACTIVATIONS)
    another(2).save(folder)
    assert np.all(opened.texels == 1) and np.all(load(folder).maps("a", ACTIVATIONS).texels == 2)


def test_a_recording_that_is_replaced_while_it_is_opened_is_the_new_one(tmp_path, monkeypatch):
    folder = another(1).save(tmp_path / "r")
    read_json, replaced = storage.read_json, []

    def read_and_replace(path):
        document = read_json(path)
        if not replaced:
            replaced.append(another(2).save(folder))
        return document

    monkeypatch.setattr(storage, "read_json", read_and_replace)
    assert np.all(load(folder).maps("a", ACTIVATIONS).texels == 2)
    for path in folder.glob("*.safetensors"):
        path.unlink()
    with pytest.raises(RecordingError, match="no such file"):
        load(folder)


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_links_are_never_written_through(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    another(1).save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and np.all(load(tmp_path / "real").maps("a", ACTIVATIONS).texels == 1)
    (tmp_path / "nowhere").symlink_to("gone")
    with pytest.raises(RecordingError, match="can't write the recording"):
        another(1).save(tmp_path / "nowhere")
    assert not (tmp_path / "gone").exists()
    (tmp_path / "mine.json").write_text(json.dumps({"key": "kept"}))
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / DOCUMENT).symlink_to(tmp_path / "mine.json")
    with pytest.raises(RecordingError, match="--overwrite"):
        another(1).save(tmp_path / "trap")
    another(1).save(tmp_path / "trap", overwrite=True)
    assert json.loads((tmp_path / "mine.json").read_text()) == {"key": "kept"}
    assert np.all(load(tmp_path / "trap").maps("a", ACTIVATIONS).texels == 1)
