"""`innerwalk gan_dissect` on a generator whose unit k paints colour k, and what it refuses."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch")
pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.scenes import cli
from innerwalk.tests.support.pictures import read_picture
from innerwalk.torch_bridge.gan_dissection import interventions
from innerwalk.torch_bridge.recording import load

SUPPORT = str(Path(__file__).resolve().parents[1] / "support")
PAINTER = ["gan_dissect", "own_networks:Painter", "--folder", SUPPORT, "--layers", "units", "--count", "32"]


@pytest.fixture
def segmenter(tmp_path) -> list[str]:
    """Options that name the painter's segmenter, whose weights file has the names of its classes."""
    from innerwalk.tests.support.own_networks import PainterSegmenter
    from innerwalk.torch_bridge.concepts.weight_files import write_weights

    facts = {"classes": json.dumps(["none", "red", "green", "blue"]), "mean": "[0.5]", "std": "[0.5]", "size": "24"}
    write_weights(tmp_path / "s.safetensors", PainterSegmenter().state_dict(), facts)
    return ["--segmenter", f"own_networks:PainterSegmenter={tmp_path / 's.safetensors'}"]


def test_units_sets_and_artefacts_are_written(tmp_path, segmenter, capsys, monkeypatch):
    monkeypatch.setattr(interventions, "STEPS", 12)
    votes = tmp_path / "votes.csv"
    votes.write_text("seed,artefact\n" + "".join(f"{seed},{seed % 2}\n" for seed in range(8)))
    options = ["--concept", "green", "--top", "1", "--votes", str(votes), "-o", str(tmp_path / "out")]
    assert cli.main([*PAINTER, *segmenter, *options]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "units: green by units 1; effect" in said and "removed 100%" in said and "artefact units" in said
    [found] = json.loads((tmp_path / "out" / "sets.json").read_text())
    assert found["units"] == [1] and found["removed"] == 1
    assert read_picture(tmp_path / "out" / "units-green.png").std() > 10
    assert len(json.loads((tmp_path / "out" / "artefacts.json").read_text())["units"]) == 1
    assert "generated pictures" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*PAINTER], "exact masks are known for codes of 28 numbers"),
        ([*PAINTER, "--segmenter", "own_networks:PainterSegmenter"], "scores 4 classes, but 0 are named"),
        (["gan_dissect", "object", "--layers", "stem.norm"], "is no generator: its input isn't one code"),
        (["gan_dissect", "own_networks:Painter", "--folder", SUPPORT, "--layers", "read"], "no maps with rows and col"),
        (["gan_dissect", "torch.nn:Linear", "--arguments", '{"in_features": 4, "out_features": 4}'], "convolutions"),
    ],
)
def test_what_cannot_be_dissected_is_one_line(tmp_path, arguments, words, capsys):
    assert cli.main([*arguments, "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("innerwalk: ") and words in error and "bug" not in error


def test_the_command_line_paints(tmp_path, capsys):
    options = ["own_networks:Painter", "--folder", SUPPORT, "--input", "noise:1", "-o", str(tmp_path / "out")]
    assert cli.main(["record", *options, "--stroke", "insert:units:2@0.04,0.04,0.05"]) == 0, capsys.readouterr().err
    recording = load(tmp_path / "out")
    assert recording.maps("units").data[2, 0, 0] == 1 and recording.provenance["strokes"][0]["cells"] == [[0, 0]]
    with pytest.raises(SystemExit):
        cli.main(["record", *options, "--stroke", "insert:units@0.5"])
    assert "is no stroke; write ablate:LAYER" in capsys.readouterr().err
