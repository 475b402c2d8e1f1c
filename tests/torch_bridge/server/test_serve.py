"""`innerwalk serve` and `python -m torch_bridge serve`: output, connection file, end."""

import json
import os
import signal
import subprocess
import sys

import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.scenes import cli
from innerwalk.tests.support import ROOT
from innerwalk.torch_bridge import client
from innerwalk.torch_bridge.recording.errors import InputError
from innerwalk.torch_bridge.server.config import parse_models, serve_config

ENTRIES = {"innerwalk": "innerwalk.scenes", "innerwalk.torch_bridge": "innerwalk.torch_bridge", "alone": "torch_bridge"}


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_ctrl_c(tmp_path, entry, number):
    environment = os.environ | ({"PYTHONPATH": str(ROOT)} if entry == "alone" else {})
    process = subprocess.Popen(
        [sys.executable, "-m", ENTRIES[entry], "serve", "object", "--device", "cpu"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    lines = [process.stdout.readline() for _ in range(6)]
    lines_by_name = {line[:10].strip(): line[10:].strip() for line in lines}
    file = tmp_path / "innerwalk-bridge.json"
    connection = json.loads(file.read_text())
    assert lines_by_name["serving"] == "object" and lines_by_name["pictures"] == "object"
    assert lines_by_name["listening"] == f"127.0.0.1:{connection['port']}, this machine only"
    assert file.name in lines_by_name["join"] and str(connection["port"]) in lines_by_name["remote"]
    assert connection["token"] not in "".join(lines)
    assert file.stat().st_mode & 0o777 == 0o600
    with client.join_bridge(file) as bridge:
        assert bridge.record("object").prediction.top[0][1] == "ring"
        assert bridge.start("object", "average", data="object", parameters={"count": 2000})["id"] == 1
        process.send_signal(number)  # a connection is open and a job runs
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out, errors.strip().count("\n")) == (130, "", 0), errors
    assert "innerwalk: stopped" in errors or "the bridge has ended" in errors
    assert list(tmp_path.iterdir()) == []


def serve(*arguments: str) -> int:
    return cli.main(["serve", *arguments])


def test_a_connection_file_that_is_there_stays(tmp_path, capsys):
    (file := tmp_path / "mine.json").write_text("mine")
    assert serve("object", "--connection", str(file)) == 2
    assert "the file exists" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path, capsys):
    assert serve("object", "--device", "cpu", "--connection", str(tmp_path / "no" / "mine.json")) == 2
    errors = capsys.readouterr().err
    assert "can't be written" in errors and errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "no network is named; give a MODEL such as object"),
        (["--networks", "none.json"], "none.json: can't be read"),
        (["--networks", "list.json"], 'list.json: an object such as {"mine"'),
        (["--networks", "text.json"], "text.json: not JSON"),
        (["--networks", "odd.json"], "network mine: no field 'wieghts'"),
        (["object=none.safetensors", "--device", "cpu"], "no such file"),
        (["object", "--device", "warp"], "device 'warp' can't be used here"),
        (["object", "--device", "cpu", "--data", "birds=/no/such"], "data set /no/such: no such folder"),
    ],
)
def test_what_cannot_be_served_is_one_line(tmp_path, monkeypatch, capsys, arguments, line):
    monkeypatch.chdir(tmp_path)
    for name, text in (("list", "[]"), ("text", "{"), ("odd", '{"mine": {"model": "resnet50", "wieghts": "x"}}')):
        (tmp_path / f"{name}.json").write_text(text)
    assert serve(*arguments) == 2
    errors = capsys.readouterr().err
    assert line in errors and errors.count("\n") == 1
    assert not (tmp_path / "innerwalk-bridge.json").exists()


def test_names_of_models():
    assert parse_models(["resnet50", "resnet50=a=b.pt", "my.nets:build=w.pt", "resnet50"]) == {
        "resnet50": ("resnet50", None), "resnet50 2": ("resnet50", "a=b.pt"),
        "my.nets:build": ("my.nets:build", "w.pt"), "resnet50 3": ("resnet50", None),
    }  # fmt: skip


def test_a_config_from_arguments_and_a_file(tmp_path):
    (file := tmp_path / "networks.json").write_text(
        '{"mine": {"model": "my.nets:build", "arguments": {"depth": 4}, "size": [64, 32], "weights": "w.pt"}}'
    )
    config = serve_config(["pair", "resnet50=r.pt"], file, {"birds": "pictures"}, "cpu", 8600)
    assert list(config.networks) == ["pair", "resnet50", "mine"]
    assert (config.networks["mine"].size, config.networks["mine"].arguments) == ((64, 32), {"depth": 4})
    assert config.networks["resnet50"].weights == "r.pt"
    assert config.networks["pair"].weights.endswith("pair.safetensors")
    assert config.data == {"pair": "concepts:pair", "birds": "pictures"}
    assert (config.device, config.port, config.token) == ("cpu", 8600, "")
    assert [spec.folder for spec in config.networks.values()] == [None] * 3
    with pytest.raises(InputError, match="no network is named"):
        serve_config([])


def test_a_folder_is_that_of_networks_without_their_own(tmp_path):
    (file := tmp_path / "networks.json").write_text(
        '{"mine": {"model": "my.nets:build"}, "yours": {"model": "your.nets:build", "folder": "yours"}}'
    )
    config = serve_config([], file, folder="mine")
    assert {name: spec.folder for name, spec in config.networks.items()} == {"mine": "mine", "yours": "yours"}


def test_methods_are_listed_with_their_parameters(capsys):
    assert cli.main(["methods"]) == 0
    output = capsys.readouterr().out
    assert "average        The mean map of each channel" in output
    assert "  count        Pictures to average over (64, 1 to 1,000,000)" in output
