"""`innerwalk series`: what it writes, says and refuses."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.scenes import cli
from innerwalk.tests.support.clips import write_clip
from innerwalk.torch_bridge import concepts, record_series
from innerwalk.torch_bridge.recording import load_series


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return write_clip(sys.executable, tmp_path_factory.mktemp("films") / "clip.mp4", 6, 10)


def test_a_video_becomes_a_series_and_is_gone_on_with(clip, tmp_path, capsys, monkeypatch):
    arguments = ["series", "object", "--video", str(clip), "--fps", "5", "-o", str(tmp_path / "s")]
    run, calls = record_series.run, []

    def stop(*given, **options):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run(*given, **options)

    monkeypatch.setattr(record_series, "run", stop)
    assert cli.main(arguments) == 130
    said = capsys.readouterr()
    assert said.err == f"innerwalk: stopped; what is done is in {tmp_path / 's'}, and --resume goes on\n"
    assert load_series(tmp_path / "s").labels == ("0.000 s",)
    assert cli.main([*arguments, "--resume"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "network        concepts object, 56 layers"
    assert lines[1] == "axis           frame, 3 entries, 0.000 s to 0.400 s"
    assert lines[-1].startswith(f"saved          {tmp_path / 's'}, ") and len(calls) == 4
    series = load_series(tmp_path / "s")
    assert series.load(1).input_name == "clip.mp4, frame 2" and series.rate == 5
    assert {layer for layer, _ in series.load(0).all_maps} == {
        layer.shows or layer.id for layer in series.network.layers if layer.role == "panel"
    }


def test_noise_and_recordings(tmp_path, capsys):
    assert cli.main(["series", "object", "--noise", "0,1", "--layers", "stem.*", "-o", str(tmp_path / "s")]) == 0
    series = load_series(tmp_path / "s")
    assert series.axis == "noise" and {layer for layer, _ in series.load(1).all_maps} > {"stem.conv"}
    folders = [str(series.load(k).save(tmp_path / f"r{k}")) for k in range(2)]
    assert cli.main(["series", "--recordings", *folders, "-o", str(tmp_path / "joined")]) == 0
    assert load_series(tmp_path / "joined").labels == ("r0", "r1")
    assert "axis           recording, 2 entries, r0 to r1" in capsys.readouterr().out


def test_the_checkpoints_of_a_run_become_a_series(tmp_path, capsys):
    runs = concepts.weights_path("object").parent
    assert (
        cli.main(["series", "object", "--checkpoints", str(runs), "--layers", "stem.*", "-o", str(tmp_path / "s")]) == 0
    )
    series = load_series(tmp_path / "s")
    assert series.labels == ("epoch 0", "epoch 1", "epoch 2", "epoch 4", "epoch 8", "object")
    assert series.load(5).prediction.top[0][1] == "ring" and series.load(5).prediction.top[0][2] > 0.9
    assert series.load(0).prediction.top[0][2] < 0.5
    said = capsys.readouterr().out
    assert "axis           epoch, 6 entries, epoch 0 to object" in said
    assert "warning        1 of 7 left out, first pair: weights pair.safetensors don't fit ConceptsNet" in said


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("object -o s", "one of the arguments --video --images --noise --checkpoints --recordings is required"),
        ("object -o s --noise 1 --video x.mp4", "not allowed with argument"),
        ("-o s --noise 1", "name a MODEL, such as object or resnet50"),
        ("object -o s --noise 1 --fps 3", "--fps is the rate of a --video; leave it out"),
        ("object -o s --recordings a b", "--recordings takes recordings as they are, without MODEL and --resume"),
        ("object -o s --video gone.mp4", "video gone.mp4: no such file"),
        ("object -o s --images gone", "a folder of pictures is needed"),
        ("object -o s --checkpoints gone", "a folder of checkpoints is needed"),
        ("object -o s --checkpoints . --weights x.pt", "--checkpoints brings the weights; leave out --weights"),
        ("object -o s --noise 1,x", "is not a list of numbers"),
        ("-o s --recordings gone", "no recording here"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, monkeypatch, capsys, line, message):
    monkeypatch.chdir(tmp_path)
    try:
        assert cli.main(["series", *line.split()]) == 2
    except SystemExit as error:
        assert error.code == 2
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said and not (tmp_path / "s").exists()
