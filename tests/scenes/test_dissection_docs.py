"""The commands and the Python of docs/dissection.md run as they stand there; shards and workers give the same bits."""

import json
import os
import re
import shlex
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("torch", reason="needs torch")
pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.scenes import cli
from innerwalk.scenes.dissect import open_dissection
from innerwalk.scenes.dissection_farm import part_child, part_tasks
from innerwalk.scenes.film_files.child_process import ChildProcess
from innerwalk.scenes.options.argument_values import record_fields
from innerwalk.scenes.options.parser import parser
from innerwalk.tests.support.pictures import read_picture
from innerwalk.torch_bridge.recording import load, load_series
from innerwalk.torch_bridge.subject import RecordSpec

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "dissection.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```(bash|python)\n(.*?)^```$", TEXT, re.M | re.S))
SMALL = ["dissect", "object", "--count", "30", "--layers", "stem.norm"]


def run(arguments: list[str], monkeypatch) -> int:
    monkeypatch.setattr(sys, "argv", ["innerwalk", *arguments])
    return cli.main(arguments)


def test_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for line in BLOCKS["bash"].splitlines():
        program, *arguments = shlex.split(line, comments=True)
        assert program == "innerwalk" and run(arguments, monkeypatch) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "circle" in said and "saved dissected/report.html" in said and (tmp_path / "units.png").is_file()
    assert_failures_and_series(tmp_path, said)
    found: dict = {}
    exec(BLOCKS["python"], found)
    assert len(found["units"]) == 72 and sum(found["count_detectors"](found["units"]).values()) >= 40


def assert_failures_and_series(folder: Path, said: str) -> None:
    [table] = load(folder / "failures").maps("stage3.1:add", "concept_failures").charts
    assert len(table.rows) == 6 and all(", is " in row for row in table.rows) and "failures among" in said
    lines = load_series(folder / "noise").charts["concept_contribution"]
    ring = lines.series.index(next(name for name in lines.series if name.startswith("ring")))
    assert len(lines.rows) == 5 and lines.values[0][ring] > lines.values[-1][ring]
    for name in ("failures.png", "noise.png"):
        assert read_picture(folder / name)[..., :3].std() > 10


def test_shards_of_the_command_line_and_workers_agree(tmp_path, monkeypatch, capsys):
    from innerwalk.torch_bridge.dissection import run as dissection_run

    assert run([*SMALL, "-o", str(tmp_path / "workers"), "--workers", "2"], monkeypatch) == 0
    monkeypatch.setattr(dissection_run, "PART", 8)
    for shard in ("1/3", "2/3", "3/3", "1/3", "2/3"):
        assert run([*SMALL, "-o", str(tmp_path / "shards"), "--shard", shard], monkeypatch) == 0
    said = capsys.readouterr().out
    assert said.count("the first pass is done here") == 2 and said.count("report.html") == 2
    tables = [(tmp_path / name / "stem.norm.csv").read_bytes() for name in ("workers", "shards")]
    assert tables[0] == tables[1]


def test_concept_vectors_are_written_beside_the_tables(tmp_path, monkeypatch, capsys):
    from innerwalk.scenes import dissect
    from innerwalk.torch_bridge.directions.vector_training import VectorSettings

    monkeypatch.setattr(dissect, "VectorSettings", lambda: VectorSettings(epochs=1))
    assert run([*SMALL, "-o", str(tmp_path / "d"), "--vectors"], monkeypatch) == 0, capsys.readouterr().err
    assert "concepts, mean IoU" in capsys.readouterr().out
    [layer] = json.loads((tmp_path / "d" / "summary.json").read_text())["layers"]
    rows = layer["concept vectors"]
    assert all(row["combination train"] >= row["single train"] for row in rows) and len(rows) > 10
    page = (tmp_path / "d" / "report.html").read_text()
    assert page.count("<td>stem.norm</td><td>") >= len(rows) and "Net2Vec" in page
    assert len((tmp_path / "d" / "stem.norm.vectors.csv").read_text().splitlines()) == len(rows) + 1


def test_a_killed_process_costs_the_part_that_it_was_at(tmp_path, monkeypatch, capsys):
    from innerwalk.scenes.dissection_farm import run_farm

    started = []

    def start(*arguments):
        started.append(ChildProcess(*arguments))
        if len(started) == 1:
            os.kill(started[0].process_id, signal.SIGKILL)
        return started[-1]

    monkeypatch.setattr(run_farm, "ChildProcess", start)
    assert run([*SMALL, "-o", str(tmp_path / "workers"), "--workers", "2"], monkeypatch) == 0
    assert run([*SMALL, "-o", str(tmp_path / "alone")], monkeypatch) == 0
    tables = [(tmp_path / name / "stem.norm.csv").read_bytes() for name in ("workers", "alone")]
    assert tables[0] == tables[1] and len(started) >= 2


def test_an_error_in_a_process_is_its_line_here(tmp_path, monkeypatch, capsys):
    from innerwalk.scenes.dissection_farm import run_farm

    monkeypatch.setattr(
        run_farm, "describe", lambda *known: part_tasks.describe(*known).replace('"weights": "', '"weights": "x')
    )
    assert run([*SMALL, "-o", str(tmp_path / "x"), "--workers", "2"], monkeypatch) == 2
    error = capsys.readouterr().err
    assert "a worker has another weights" in error and "Traceback" not in error


def test_each_process_has_a_picture_of_its_own(tmp_path):
    """Of one file, another process would read what this one has written half."""
    arguments = [*SMALL, "-o", str(tmp_path / "x")]
    options = parser().parse_args(arguments)
    dissection = open_dissection(RecordSpec(**record_fields(options, tmp_path)), options)
    (tmp_path / "dissection.json").write_text(part_tasks.describe(dissection, arguments))
    opened = [part_child.open_parts(tmp_path / "dissection.json", "") for _ in range(2)]
    pictures = {render.args[0].live.spec.inputs[0] for render in opened}
    assert len(pictures) == 2 and {Path(picture).name for picture in pictures} == {"object 10.png"}
    assert opened[0](0) == part_child.WRITTEN and dissection.is_there("values", 0)  # this one reads it from the folder


def test_all_files_that_options_name_are_sent_to_a_farm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sent = {"input-0/a.npz": "a.npz", "keyword-mask/b.npy": "b.npy", "weights/w.pt": "w.pt"}
    for name in sent.values():
        Path(name).write_bytes(name.encode())
    line = "dissect my.net:build -o x --weights w.pt --input a.npz:key --input noise:7"
    line += " --keyword mask=b.npy --keyword k=ids:1"
    dissection = SimpleNamespace(folder=SimpleNamespace(about={}), data=SimpleNamespace(name="d"))
    bundle = part_tasks.bundle_dissection(dissection, [], parser().parse_args(line.split()), None)
    assert {name: str(path) for name, path in bundle.files.items()} == sent
    wanted = json.loads(bundle.recipe)
    assert wanted["inputs"] == ["input-0/a.npz:key", "noise:7"]
    assert wanted["keywords"] == [["mask", "keyword-mask/b.npy"], ["k", "ids:1"]]
    (tmp_path / "input-0").mkdir()
    (tmp_path / "input-0" / "a.npz").touch()
    placed = [part_child._placed(tmp_path, source) for source in wanted["inputs"]]
    assert placed == [str(tmp_path / "input-0" / "a.npz:key"), "noise:7"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dissect", "squeezenet1_0"], "name a data set whose pixels are labelled"),
        (["dissect", "object", "--quantile", "2"], "quantile 2: a share above 0"),
        (["dissect", "object", "--workers", "2", "--scheduler", "tls://a:1"], "name one"),
        (["dissect", "object", "--scheduler", "tcp://192.0.2.7:8786"], "only tls:// is used"),
        (["dissect", "object", "--alignment", "odd"], "invalid choice: 'odd'"),
        (["dissect", "object", "--vectors", "--rotation", "1"], "leave out --rotation and --alignment"),
        (["dissect", "object", "--shard", "4/3"], "'4/3' is no shard"),
        (["dissect", "object", "--layers", "stagr3*"], "no layer 'stagr3*'"),
    ],
)
def test_a_wrong_wish_is_one_line(tmp_path, monkeypatch, capsys, arguments, said):
    try:
        status = run([*arguments, "-o", str(tmp_path / "x")], monkeypatch)
    except SystemExit as stopped:
        status = stopped.code
    error = capsys.readouterr().err
    assert status == 2 and said in error and "Traceback" not in error
