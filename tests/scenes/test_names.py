"""`innerwalk names` in one process: its table, agreement, files, and what it refuses."""

import json
from dataclasses import replace

import pytest

from innerwalk.blender_addon.naming.unit_names import UnitName, read_names, write_names
from innerwalk.scenes import cli

ANN = [UnitName("abc", "conv", unit, "lamp", "object", "Ann", 9, (1,)) for unit in (0, 1)]
BEN = [replace(ANN[0], rater="Ben", word="Lamp"), replace(ANN[1], rater="Ben", word="wall", category="scene")]


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, names in (("ann.jsonl", ANN), ("ben.jsonl", BEN), ("other.jsonl", [replace(ANN[0], network="def")])):
        (tmp_path / name).write_text(write_names(names), "utf-8")
    return tmp_path


def test_the_table_says_how_far_people_agree(files, capsys):
    assert cli.main(["names", "ann.jsonl", "ben.jsonl", "-o", "units.csv"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[1].split() == ["conv", "0", "lamp", "object", "2", "of", "2", "89%"]
    assert said[2].split() == ["conv", "1", "?", "?", "0", "of", "2"]
    assert "2 units named by Ann, Ben; 1 fit more than 75%" in said
    assert "Ann and Ben: kappa of categories 0.00 over 2 units" in said
    assert (files / "units.csv").read_text().splitlines()[1] == "conv,0,lamp,object,2 of 2,89%,"


def test_a_word_is_no_formula_of_a_spreadsheet(files):
    (files / "bad.jsonl").write_text(write_names([replace(ANN[0], word="=1+1")]), "utf-8")
    assert cli.main(["names", "bad.jsonl", "-o", "units.csv"]) == 0
    assert (files / "units.csv").read_text().splitlines()[1].startswith("conv,0,'=1+1,object,")


def test_files_are_joined_and_searched(files, capsys):
    assert cli.main(["names", "ann.jsonl", "ben.jsonl", "--find", "WALL", "-o", "both.jsonl"]) == 0
    assert "conv   1" in capsys.readouterr().out
    assert len(read_names(files / "both.jsonl")) == 4


def test_a_dissections_labels_stand_beside(files, capsys):
    pytest.importorskip("torch", reason="reads a table of Network Dissection")
    folder = files / "dissected"
    folder.mkdir()
    (folder / "summary.json").write_text(json.dumps({"layers": [{"layer": "conv", "table": "../conv.csv"}]}))
    head = "unit,category,label,score,object-label,object-truth,object-activation,object-intersect,object-iou\n"
    (folder / "conv.csv").write_text(f"{head}1,object,ring,.31,ring,100,100,50,.33\n")
    assert cli.main(["names", "ann.jsonl", "--dissected", "dissected"]) == 0
    assert "ring .33" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ann.jsonl", "other.jsonl"], "other.jsonl: names of another network (def) than ann.jsonl (abc)"),
        (["ann.jsonl", "--find", "cat"], "no unit with 'cat' in its name"),
        (["nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["ann.jsonl", "-o", "units.txt"], "must end in .csv or .jsonl"),
        (["ann.jsonl", "--dissected", "nowhere"], "summary.json: no such file"),
    ],
)
def test_a_wrong_wish_is_one_line(files, capsys, arguments, said):
    if "--dissected" in arguments:
        pytest.importorskip("torch", reason="reads a table of Network Dissection")
    assert cli.main(["names", *arguments]) == 2
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


def test_many_units_and_people_are_summed_up(files, capsys):
    many = [replace(ANN[0], unit=unit, rater=f"r{unit % 20}") for unit in range(20_000)]
    many += [replace(ANN[0], unit=unit, rater=f"r{(unit + 1) % 20}") for unit in range(20)]
    (files / "many.jsonl").write_text(write_names(many), "utf-8")
    assert cli.main(["names", "many.jsonl", "-o", "all.csv"]) == 0
    said = capsys.readouterr().out
    assert said.count("kappa of categories") == 10 and "mean kappa of 20 pairs" in said
    (files / "crowd.jsonl").write_text(write_names(replace(ANN[0], rater=f"r{k}") for k in range(51)), "utf-8")
    assert cli.main(["names", "crowd.jsonl"]) == 2
    assert "crowd.jsonl: names by 51 people; at most 50" in capsys.readouterr().err
