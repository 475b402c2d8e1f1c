"""`innerwalk study`: what it writes, goes on with, and refuses."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs torch")

from innerwalk.scenes import cli
from innerwalk.torch_bridge.recording import load

QUICK = ("--size", "32", "--epochs", "1", "--steps", "2")
SMALL = (*QUICK, "--count", "12", "--classes", "circle on sky,star on waves")


def run(*arguments: str) -> int:
    try:
        return cli.main(["study", *arguments])
    except SystemExit as stopped:
        return int(stopped.code)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def pictures(folder: Path, *counts: int) -> Path:
    """A folder of noise, with so many pictures of each class."""
    random = np.random.default_rng(0)
    for number, count in enumerate(counts):
        (folder / f"class{number}").mkdir(parents=True)
        for k in range(count):
            Image.fromarray(random.integers(0, 255, (20, 30, 3), np.uint8)).save(folder / f"class{number}/{k}.png")
    return folder


def test_a_study_is_trained_measured_and_reported(tmp_path, capsys):
    out = tmp_path / "study"
    assert run("--data", "concepts", *SMALL, "-o", str(out)) == 0
    printed = capsys.readouterr().out
    rows = table(out / "accuracy.csv")
    assert [row["strategy"] for row in rows] == ["standard", "shuffled", "noisy"]
    assert {row["chance"] for row in rows} == {"0.5"} and [row["samples"] for row in rows] == ["10", "10", "100"]
    summary = json.loads((out / "summary.json").read_text())
    for row in summary["accuracy"]:  # the page, the table and the words say the same
        assert f"{row['test']:.3f}" in printed
    page = (out / "report.html").read_text()
    assert "img-src data:" in page and page.count("<script>") == 1 and "data:image/png" in page
    networks = {row["network"] for row in table(out / "frequencies.csv")}
    assert networks == {"untrained", "standard", "shuffled", "noisy", "pictures trained on"}
    assert len(table(out / "similarity.csv")) == 6 * 5 and len(table(out / "sensitivity.csv")) == 3 * 10
    assert cli.main(["render", str(out / "figure_noisy.toml"), "-o", str(tmp_path / "figures")]) == 0
    assert (tmp_path / "figures/activations_noisy.png").is_file()
    shown = load(out / "noisy/activations/00")
    assert shown.maps("layer4.0.norm2").data.shape == (512, 1, 1) and shown.input_name == "circle on sky"
    before = (out / "noisy/checkpoint.safetensors").read_bytes()
    assert run("--data", "concepts", *SMALL, "--strategy", "standard", "-o", str(out)) == 0  # nothing is left to do
    assert (out / "noisy/checkpoint.safetensors").read_bytes() == before


def test_the_dense_network_is_trained_by_the_same_command(tmp_path, capsys):
    arguments = ("--network", "covid_densenet", "--strategy", "shuffled", "-o", str(tmp_path / "two"))
    assert run("--data", "concepts", *SMALL, *arguments) == 0
    assert "0.50" in capsys.readouterr().out
    assert "Not trained yet: standard, noisy." in (tmp_path / "two/report.html").read_text()


def test_pictures_that_cannot_be_read_are_left_out_and_named(tmp_path, capsys):
    folder = pictures(tmp_path / "data", 5, 5)
    (folder / "class0/broken.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    assert run("--data", str(folder), *QUICK, "--strategy", "standard", "-o", str(out)) == 0
    assert "left out" in (printed := capsys.readouterr().out) and "broken.png" in printed
    assert json.loads((out / "study.json").read_text())["trained on"] == 8


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((), "no picture in it"),
        ((4,), "a study needs at least two classes, each a folder of pictures, not 1"),
        ((4, 1), "class class1 needs at least two pictures, to train on and to test on; 1 can be read"),
    ],
)
def test_unfit_pictures_are_one_line(tmp_path, capsys, counts, message):
    (tmp_path / "data").mkdir()
    assert run("--data", str(pictures(tmp_path / "data", *counts)), "-o", str(tmp_path / "out")) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--classes", "dragon,star on waves"), "no class of concepts 'dragon'"),
        (("--epochs", "-1"), "--epochs, --count and --seed are numbers from 0 on"),
        (("--minutes", "nan"), "--steps and --minutes above 0"),
        (("--minutes", "0"), "--steps and --minutes above 0"),
        (("--strategy", "best"), "invalid choice"),
        (("--size", "4"), "size 4×4: at least 32 pixels a side are needed"),
    ],
)
def test_a_wrong_wish_is_one_line(tmp_path, capsys, more, message):
    assert run("--data", "concepts", "-o", str(tmp_path / "out"), *more) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_folders_of_something_else_are_refused(tmp_path, capsys):
    out = tmp_path / "out"
    standard = ("--strategy", "standard", "-o", str(out))
    assert run("--data", "concepts", *SMALL, *standard) == 0
    assert run("--data", "concepts", *SMALL, "--size", "40", *standard) == 2
    assert "a study with other settings: size; name a new folder" in capsys.readouterr().err
    assert run("--data", "concepts", *SMALL, "--epochs", "2", *standard) == 2
    assert "trained with other settings: epochs (1); name the same, or a new folder" in capsys.readouterr().err
    assert run("--data", "concepts", *SMALL, "-o", str(pictures(tmp_path / "mine", 1))) == 2
    assert "not empty, and no study" in capsys.readouterr().err


def test_an_interrupted_training_goes_on(tmp_path, capsys, monkeypatch):
    from innerwalk.torch_bridge.study import study_training

    measure, calls = study_training.accuracy_of, []

    def stop(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure(*arguments)

    arguments = ("--data", "concepts", *SMALL, "--epochs", "2", "--strategy", "standard", "-o", str(tmp_path / "out"))
    monkeypatch.setattr(study_training, "accuracy_of", stop)
    assert run(*arguments) == 130
    assert f"stopped; the same command goes on with {tmp_path / 'out'}" in capsys.readouterr().err
    assert run(*arguments) == 0 and "2/2" in capsys.readouterr().out and len(calls) == 3
