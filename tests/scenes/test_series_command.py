"""`innerwalk series`: what it writes, says and refuses."""

import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.scenes import cli
from innerwalk.tests.support.clips import write_clip
from innerwalk.tests.torch_bridge.methods.test_predictions_by_concept import finding, write_folder
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
    assert series.labels == ("epoch 0", "epoch 1", "epoch 2", "epoch 4", "epoch 8", "object, epoch 12")
    assert series.load(5).prediction.top[0][1] == "ring" and series.load(5).prediction.top[0][2] > 0.9
    assert series.load(0).prediction.top[0][2] < 0.5
    said = capsys.readouterr().out
    assert "axis           epoch, 6 entries, epoch 0 to object, epoch 12" in said
    assert (
        "warning        1 of 7 left out, first pair, epoch 12: weights pair.safetensors don't fit ConceptsNet" in said
    )


def test_a_run_of_one_checkpoint_has_no_range(tmp_path, capsys):
    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copy(concepts.weights_path("object").parent / "object-epoch-01.safetensors", runs)
    assert cli.main(["series", "object", "--checkpoints", str(runs), "--layers", "fc", "-o", str(tmp_path / "s")]) == 0
    assert "axis           epoch, 1 entry, epoch 1\n" in capsys.readouterr().out
    assert cli.main(["figure", str(tmp_path / "s"), "--preset", "plate", "-o", str(tmp_path / "x.png")]) == 2
    assert "(recording.json is missing); it holds a series" in capsys.readouterr().err


def test_a_method_is_run_with_each_entry_and_its_bars_become_lines(tmp_path, capsys):
    question = ["--method", "concept_contribution", "--set", "of_class=ring", "--layers", "stage3.1:add"]
    question += ["--set", f"dissected={write_units(tmp_path / 'd')}", "-o", str(tmp_path / "s")]
    assert cli.main(["series", "object", "--noise", "0,8", *question]) == 0, capsys.readouterr().err
    series = load_series(tmp_path / "s")
    [lines] = series.charts.values()
    assert (lines.kind, lines.rows, lines.row_axis) == ("lines", ("0", "8"), "noise")
    assert lines.title == "evidence for ring in stage3.1:add" and set(lines.series) == {"ring (36)", "blue (36)"}
    assert sum(lines.values[0]) > sum(lines.values[1]) + 1  # noise takes the evidence away
    for k in range(2):
        bars, shown = series.load(k).maps("stage3.1:add", "concept_contribution").charts
        assert bars.kind == "bars" and shown.marked == lines.rows[k]
        totals = dict(zip(bars.rows, map(sum, bars.values), strict=True))
        assert [totals[name] for name in lines.series] == pytest.approx(lines.values[k], rel=1e-3, abs=1e-3)
    assert cli.main(["series", "object", "--noise", "0,8", *question, "--resume", "--set", "threshold=.1"]) == 2
    assert "its series was made with another method; make it anew" in capsys.readouterr().err


def write_units(folder: Path) -> Path:
    """The folder of a dissection in which every second unit of a layer detects rings, the others blue."""
    concepts_of = (("ring", "object"), ("blue", "colour"))
    return write_folder(folder, [finding(k, *concepts_of[k % 2]) for k in range(72)], "stage3.1:add")


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
        ("object -o s --noise 1 --set count=3", "--set, --channels and --data are of a --method; name one"),
        ("object -o s --noise 1 --method dissectoin", "no method 'dissectoin'; did you mean dissection"),
        ("object -o s --noise 1 --method dissection --set count=x", "dissection: count is 'x'; a whole number"),
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
