"""The commands and the Python of docs/training.md run as they stand there; wrong wishes are one line."""

import csv
import json
import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch")
pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.scenes import cli
from innerwalk.tests.support.pictures import read_picture
from innerwalk.torch_bridge import concepts
from innerwalk.torch_bridge.recording import load, load_series

WEIGHTS = concepts.weights_path("object").parent
TEXT = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```(bash|python)\n(.*?)^```$", TEXT, re.M | re.S))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("torch_bridge/concepts").mkdir(parents=True)
    Path("torch_bridge/concepts/weights").symlink_to(WEIGHTS)
    for line in BLOCKS["bash"].splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "innerwalk" and cli.main(arguments) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert len(load_series("epochs")) == 6 and Path("epochs.blend").is_file()
    assert said.count("left out") == 3 and "saved          networks/report.html" in said
    found: dict = {}
    exec(BLOCKS["python"], found)
    assert found["converged"]["stem.norm"] == "epoch 4" and found["converged"]["stage3.1:add"] == "object, epoch 12"
    assert found["alignment"] == pytest.approx(1, abs=1e-5) and found["partners"].tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert_trained_grows_detectors(Path("trained"))
    tuned = table(Path("tuned/units.csv"))
    assert {row["before"] for row in tuned} == {"object-epoch-04"} and {row["after"] for row in tuned} == {"object"}
    assert {row["network"] for row in table(Path("networks/concepts.csv"))} == {"object", "pair"}
    assert (Path("networks/pair/report.html")).is_file()
    shown = load("trained/hall").maps("stage3.1:add")
    assert [chart.kind for chart in shown.charts] == ["lines", "matrix", "bars"] and Path("trained.blend").is_file()
    assert sum(label.startswith("+ ") for label in shown.labels) >= 30
    wall = load("wall").maps("stage3.1:add", "unit_history")
    assert wall.charts[0].rows == ("epoch 0", "epoch 1", "epoch 2", "epoch 4", "epoch 8", "object, epoch 12")
    for name in ("wall.png", "boards.png"):
        assert read_picture(Path(name))[..., :3].std() > 10


def assert_trained_grows_detectors(folder: Path) -> None:
    rows = [row for row in table(folder / "layers.csv") if row["layer"] == "stage3.1:add"]
    assert [row["network"] for row in rows] == [
        "epoch 0",
        "epoch 1",
        "epoch 2",
        "epoch 4",
        "epoch 8",
        "object, epoch 12",
    ]
    assert int(rows[0]["detectors"]) <= 2 and int(rows[-1]["detectors"]) >= 40
    assert float(rows[0]["cka"]) < 0.2 and float(rows[-1]["cka"]) == float(rows[-1]["weights"] or 1) == 1
    changes = json.loads((folder / "summary.json").read_text())["pairs"][0]["changes"]
    assert changes["gained"] > 100 > changes.get("lost", 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-o x", "no network is named; give a MODEL"),
        ("object -o x", "one network is nothing to compare; name another, or --checkpoints FOLDER"),
        ("object pair --checkpoints . -o x", "--checkpoints are of one network; name one MODEL"),
        ("object=a.pt --checkpoints . -o x", "--checkpoints brings the weights; name MODEL without them"),
        ("object --checkpoints gone -o x", "a folder of checkpoints is needed"),
        ("object --checkpoints . -o x", "0 checkpoints; 1 to"),
        ("squeezenet1_0 resnet18 -o x", "name pictures to compare by: --data concepts:object, or a folder"),
        ("object pair --layers stagr3* -o x", "no layer 'stagr3*'"),
        ("object pair --probe 0 -o x", "0 pictures to compare by: at least 2 are needed"),
        ("object pair --quantile 2 -o x", "quantile 2: a share above 0"),
        ("object pair --count -3 -o x", "-3 pictures of concepts object: a number above 0 is needed, or 0 for all"),
    ],
)
def test_a_wrong_wish_is_one_line(tmp_path, monkeypatch, capsys, line, message):
    monkeypatch.chdir(tmp_path)
    try:
        status = cli.main(["compare", *line.split()])
    except SystemExit as stopped:
        status = stopped.code
    *progress, error = capsys.readouterr().err.splitlines()  # a slow machine says how far it is
    assert status == 2 and message in error and all("% " in line for line in progress), progress


def test_a_folder_of_another_comparison_is_refused(tmp_path, capsys):
    few = ["compare", "object", "pair", "--probe", "4", "--count", "10", "--layers", "fc", "-o", str(tmp_path / "x")]
    assert cli.main(few) == 0 and cli.main(few) == 0
    assert cli.main([*few, "--quantile", "0.1"]) == 2
    assert "a dissection with another quantile (0.005, not 0.1); name a new folder" in capsys.readouterr().err
