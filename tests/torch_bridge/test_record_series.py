"""Series of a network's runs: each entry equals a plain run, and what can't be read is left out in one line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
av = pytest.importorskip("av", reason="needs PyAV")

from PIL import Image  # noqa: E402

from innerwalk.torch_bridge import record_series as series  # noqa: E402
from innerwalk.torch_bridge.inputs.sources import NamedContent  # noqa: E402
from innerwalk.torch_bridge.models import build_model  # noqa: E402
from innerwalk.torch_bridge.recording import load_series  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError, RecordingError  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, record_from  # noqa: E402

SPEC = RecordSpec("innerwalk.tests.support.own_networks:Gated", size=(16, 16), mean=(0.5,) * 3, std=(0.25,) * 3)
FRAMES, RATE = 10, 10


def frame(number: int) -> np.ndarray:
    """(32, 32, 3) uint8: a square at a place of its own, on grey."""
    picture = np.full((32, 32, 3), 60, np.uint8)
    picture[8:24, 2 * number : 2 * number + 12] = 220
    return picture


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("films") / "clip.mov"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream("png", rate=RATE)  # each frame is coded alone
        stream.width = stream.height = 32
        stream.pix_fmt = "rgb24"
        for number in range(FRAMES):
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame(number), format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path


def picture_of(number: int, name: str = "clip.mov") -> NamedContent:
    return NamedContent(f"{name}, frame {number}", Image.fromarray(frame(number)))


def assert_equal(found, wanted) -> None:
    assert found.input_name == wanted.input_name and found.network == wanted.network
    assert found.prediction == wanted.prediction and np.array_equal(found.picture, wanted.picture)
    for key, maps in found.all_maps.items():
        assert np.array_equal(maps.texels, wanted.all_maps[key].texels)


def plain_run(source, **fields):
    return record_from(RecordSpec(**{**vars(SPEC), "inputs": (source,), **fields}))


@pytest.mark.parametrize(
    ("rate", "numbers", "labels"),
    [
        (None, range(10), ["frame 0", "frame 9"]),
        (5.0, range(0, 10, 2), ["0.000 s", "0.800 s"]),
        (20.0, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9], ["0.000 s", "0.950 s"]),
        (0.1, [0], ["0.000 s", "0.000 s"]),
    ],
)
def test_each_frame_is_a_plain_run(clip, tmp_path, rate, numbers, labels):
    with series.video_inputs(str(clip), rate) as frames:
        assert series.record_series(SPEC, frames, tmp_path / "s") == []
    found = load_series(tmp_path / "s")
    assert len(found) == len(numbers) and [found.labels[0], found.labels[-1]] == labels
    assert (found.axis, found.rate) == ("frame", rate or RATE)
    for k, number in enumerate(numbers):
        assert_equal(found.load(k), plain_run(picture_of(number)))
    assert len(list((tmp_path / "s").glob("entry-*"))) == len(set(numbers)), "a frame is stored once"


def test_pictures_come_in_natural_order(tmp_path):
    (tmp_path / "in").mkdir()
    names = ["2.png", "10.png", "b1a.png", "b02a.png", "B10.png"]
    for k, name in enumerate(names):
        Image.fromarray(frame(k)).save(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    along = series.picture_inputs(tmp_path / "in")
    assert along.labels == tuple(names)
    series.record_series(SPEC, along, tmp_path / "s")
    found = load_series(tmp_path / "s")
    for k in range(5):
        assert_equal(found.load(k), plain_run(str(tmp_path / "in" / names[k])))


def test_noise_is_added_to_the_networks_values(tmp_path):
    spec = RecordSpec(**{**vars(SPEC), "inputs": ("noise:7",)})
    series.record_series(spec, series.noise_inputs((0.0, 0.5, 2.0), 3), tmp_path / "s")
    found, own = load_series(tmp_path / "s"), plain_run("noise:7")
    assert found.axis == "noise" and found.labels == ("0", "0.5", "2")
    assert [found.load(k).input_name for k in range(3)] == [f"noise:7 + {level} noise" for level in ("0", "0.5", "2")]
    assert np.array_equal(found.load(0).picture, own.picture)
    assert [int(np.abs(found.load(k).picture.astype(int) - own.picture).max() > 40) for k in range(3)] == [0, 1, 1]
    first = [found.load(k).maps("a").data for k in range(3)]
    assert np.array_equal(first[0], own.maps("a").data)
    assert np.allclose(first[2] - first[0], 4 * (first[1] - first[0]), atol=1e-4), "the first layer is affine"
    assert np.abs(first[1] - first[0]).max() > 0.1


def damage(clip: Path, path: Path, numbers) -> Path:
    """A copy of the video in which these frames are zeros."""
    content = bytearray(clip.read_bytes())
    starts = [k for k in range(len(content)) if content[k : k + 4] == b"\x89PNG"]
    for number in numbers:
        content[starts[number] : starts[number] + 40] = bytes(40)
    path.write_bytes(content)
    return path


def test_frames_that_cannot_be_decoded_are_left_out_in_one_line(clip, tmp_path):
    broken = damage(clip, tmp_path / "broken.mov", (3, 9))
    with series.video_inputs(str(broken)) as frames:
        (note,) = series.record_series(SPEC, frames, tmp_path / "s")
    assert note == "2 of 10 left out, first frame 3: video broken.mov: frame 3 can't be decoded"
    found = load_series(tmp_path / "s")
    numbers = [0, 1, 2, 4, 5, 6, 7, 8]
    assert found.labels == tuple(f"frame {number}" for number in numbers)
    for k, number in enumerate(numbers):
        assert_equal(found.load(k), plain_run(picture_of(number, "broken.mov")))


def test_a_video_that_ends_early_is_kept_as_far_as_it_goes(clip, tmp_path):
    content, cut = clip.read_bytes(), tmp_path / "cut.mov"
    starts = [k for k in range(len(content)) if content[k : k + 4] == b"\x89PNG"]
    cut.write_bytes(content[: starts[6] + 5])
    with series.video_inputs(str(cut)) as frames:
        (note,) = series.record_series(SPEC, frames, tmp_path / "s")
    assert note == "1 of 7 left out, first frame 6: video cut.mov: frame 6 can't be decoded"
    assert load_series(tmp_path / "s").labels == tuple(f"frame {k}" for k in range(6))


def test_a_series_is_gone_on_with(clip, tmp_path):
    def stop(text: str, share: float) -> None:
        if text == "frame 4":
            raise KeyboardInterrupt

    with series.video_inputs(str(clip)) as frames, pytest.raises(KeyboardInterrupt):
        series.record_series(SPEC, frames, tmp_path / "s", stop)
    assert load_series(tmp_path / "s").labels == tuple(f"frame {k}" for k in range(4))
    shares = []
    with series.video_inputs(str(clip)) as frames:
        series.record_series(SPEC, frames, tmp_path / "s", lambda text, share: shares.append(share), resume=True)
        assert shares[1] == 0.4 and shares == sorted(shares)
        found = load_series(tmp_path / "s")
        for k in range(FRAMES):
            assert_equal(found.load(k), plain_run(picture_of(k)))
        other = RecordSpec(**{**vars(SPEC), "seed": 1})
        with pytest.raises(RecordingError, match="was made with another seed"):
            series.record_series(other, frames, tmp_path / "s", resume=True)
        index = tmp_path / "s" / "series.json"
        document = json.loads(index.read_text())
        document["entries"][-1]["label"] = "frame 99"
        index.write_text(json.dumps(document))
        with pytest.raises(InputError, match=r"ends with 'frame 99', which clip\.mov doesn't have"):
            series.record_series(SPEC, frames, tmp_path / "s", resume=True)


def test_the_same_noise_may_be_in_a_series_twice(tmp_path):
    def stop(text: str, share: float) -> None:
        if text == "noise 0" and share == pytest.approx(2 / 3):
            raise KeyboardInterrupt

    again, folder = series.noise_inputs([0.0, 1.0, 0.0], 0), tmp_path / "s"
    with pytest.raises(KeyboardInterrupt):
        series.record_series(SPEC, again, folder, stop)
    assert load_series(folder).labels == ("0", "1")
    for _ in range(2):  # what is complete stays as it is
        series.record_series(SPEC, again, folder, resume=True)
        assert load_series(folder).labels == ("0", "1", "0")


def test_recordings_are_joined(tmp_path):
    folders = [plain_run(f"noise:{k}").save(tmp_path / f"run{k}") for k in range(3)]
    series.join_recordings(folders, tmp_path / "s")
    found = load_series(tmp_path / "s")
    assert found.labels == ("run0", "run1", "run2") and found.axis == "recording"
    for k in range(3):
        assert_equal(found.load(k), plain_run(f"noise:{k}"))
    other = plain_run("noise:1", model="innerwalk.tests.support.own_networks:Slow").save(tmp_path / "other")
    with pytest.raises(RecordingError, match="^other is of another network .*: shape of layer 'a' is"):
        series.join_recordings([*folders, other], tmp_path / "t")
    assert len(load_series(tmp_path / "t")) == 3


def test_what_gives_no_series_is_one_line(clip, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_bytes(b"no picture")
    for call, line in (
        (lambda: series.video_inputs("camera:0").__enter__(), "camera:0 has no end"),
        (lambda: series.video_inputs(str(tmp_path / "gone")).__enter__(), "no such file"),
        (lambda: series.video_inputs(str(clip), 0).__enter__(), "a rate above 0"),
        (lambda: series.video_inputs(str(clip), float("nan")).__enter__(), "a rate above 0"),
        (lambda: series.video_inputs(str(clip), 1e6).__enter__(), "at most 10000"),
        (lambda: series.picture_inputs(tmp_path / "empty"), "it has 0; 1 to 100,000 pictures"),
        (lambda: series.picture_inputs(tmp_path / "gone"), "No such file or directory; a folder of pictures"),
        (lambda: series.record_series(SPEC, series.picture_inputs(tmp_path / "bad"), tmp_path / "s"), "1.png"),
    ):
        with pytest.raises(InputError, match=line) as error:
            call()
        assert "\n" not in str(error.value)
    assert not (tmp_path / "s").exists()


def test_checkpoints_are_the_same_input_with_other_weights(tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    states = {}
    for epoch in (0, 2, 10):
        torch.manual_seed(epoch)
        states[epoch] = build_model(SPEC.model, seed=epoch).module.state_dict()
        torch.save({"epoch": epoch, "state_dict": states[epoch]}, runs / f"gated-epoch-{epoch}.pt")
    torch.save({"a.weight": torch.zeros(5, 3, 9, 9)}, runs / "gated-epoch-3.pt")
    torch.save({"optimizer": torch.zeros(3)}, runs / "gated-epoch-4.pt")
    (runs / "gated-epoch-5.pt").write_bytes((runs / "gated-epoch-2.pt").read_bytes()[:900])
    spec = RecordSpec(**{**vars(SPEC), "inputs": ("noise:7",)})
    [note] = series.record_series(spec, series.checkpoint_inputs(runs), tmp_path / "s")
    assert note.startswith("3 of 6 left out, first epoch 3: weights gated-epoch-3.pt don't fit Gated")
    found = load_series(tmp_path / "s")
    assert found.axis == "epoch" and found.labels == ("epoch 0", "epoch 2", "epoch 10")
    for k, epoch in enumerate((0, 2, 10)):
        own = plain_run("noise:7", weights=str(runs / f"gated-epoch-{epoch}.pt"))
        own.input_name, own.network = f"noise:7, epoch {epoch}", replace(own.network, weights="checkpoints of runs")
        assert_equal(found.load(k), own)
        assert found.load(k).provenance["weights"] == f"gated-epoch-{epoch}.pt"
    assert not np.array_equal(found.load(0).maps("a").data, found.load(1).maps("a").data)


def test_a_run_without_a_fitting_checkpoint_is_the_first_ones_error(tmp_path):
    torch.save({"other": torch.zeros(3)}, tmp_path / "epoch-1.pt")
    with pytest.raises(ModelError, match="weights epoch-1.pt don't fit Gated"):
        series.record_series(SPEC, series.checkpoint_inputs(tmp_path), tmp_path / "s")
    assert not (tmp_path / "s").exists()
