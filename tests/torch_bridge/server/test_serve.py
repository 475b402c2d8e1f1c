"""`innerwalk serve` and `python -m torch_bridge serve`: output, connection file, end."""

import dataclasses
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
from innerwalk.torch_bridge.recording.part_files import process_start
from innerwalk.torch_bridge.server import start
from innerwalk.torch_bridge.server.config import parse_models, parse_specs, serve_config
from innerwalk.torch_bridge.server.spec_fields import SPEC_FIELDS
from innerwalk.torch_bridge.subject import RecordSpec

ENTRIES = {"innerwalk": "innerwalk.scenes", "innerwalk.torch_bridge": "innerwalk.torch_bridge", "alone": "torch_bridge"}


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
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


def test_the_connection_file_of_a_killed_bridge_makes_room(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    file = tmp_path / "mine.json"
    for process, started, stays in ((gone.pid, "7", False), (os.getpid(), process_start(os.getpid()), True)):
        content = {"port": 1, "token": "x", "protocol": 2, "process": process, "started": started}
        file.write_text(json.dumps(content))
        start._remove_stale(file)
        assert file.exists() is stays
    for text in ("{", "[]", "{}", '{"process": "x", "started": "7", "token": ""}', '{"process": -1, "token": ""}'):
        file.write_text(text)
        start._remove_stale(file)
        assert file.read_text() == text


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
        (["mine", "--networks", "same.json"], "network 'mine' is on the command line too; give one of them"),
        (["object=none.safetensors", "--device", "cpu"], "no such file"),
        (["object", "--device", "warp"], "device 'warp' can't be used here"),
        (["object", "--device", "cpu", "--data", "birds=/no/such"], "data set /no/such: no such folder"),
    ],
)
def test_what_cannot_be_served_is_one_line(tmp_path, monkeypatch, capsys, arguments, line):
    monkeypatch.chdir(tmp_path)
    for name, text in (("list", "[]"), ("text", "{"), ("odd", '{"mine": {"model": "resnet50", "wieghts": "x"}}')):
        (tmp_path / f"{name}.json").write_text(text)
    (tmp_path / "same.json").write_text('{"mine": {"model": "resnet50"}}')
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
    config = serve_config(["pair", "resnet50=r.pt"], file, {"birds": "pictures"}, "cpu", 8600, trust=True)
    assert list(config.networks) == ["pair", "resnet50", "mine"]
    assert (config.networks["mine"].size, config.networks["mine"].arguments) == ((64, 32), {"depth": 4})
    assert config.networks["resnet50"].weights == "r.pt"
    assert config.networks["pair"].weights.endswith("pair.safetensors")
    assert config.data == {"pair": "concepts:pair", "birds": "pictures"}
    assert (config.device, config.port, config.token) == ("cpu", 8600, "")
    assert [spec.folder for spec in config.networks.values()] == [None] * 3
    with pytest.raises(InputError, match="no network is named"):
        serve_config([])


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ({"model": "my.nets:build"}, "model my.nets:build"),
        ({"model": "a.pt2"}, "model a.pt2"),
        ({"model": "resnet18", "folder": "/theirs"}, "folder /theirs"),
    ],
)
def test_a_file_of_networks_grants_itself_no_trust(tmp_path, spec, code):
    (file := tmp_path / "networks.json").write_text(json.dumps({"mine": spec}))
    with pytest.raises(InputError, match=f"network mine: {code} would run code; if you trust it, add --trust"):
        serve_config([], file)
    assert serve_config([], file, trust=True).networks["mine"].trust
    assert serve_config([spec["model"]]).networks[spec["model"]].trust
    file.write_text(json.dumps({"mine": spec | {"trust": True}}))
    with pytest.raises(InputError, match="no field 'trust'"):
        serve_config([], file)


WRONG = {
    "model": ["", 3, None, "a\0b"],
    "arguments": [[], "x", 1],
    "folder": [1, ["a"], "a\0b"],
    "weights": [1, {}, "x" * 5000],
    "classes": [1, {"a": 1}, ["a", 1]],
    "inputs": ["noise:1", 1, [1], {"a": "b"}],
    "keywords": ["noise:1", ["noise:1"], {"a": 1}, {"a": ["noise:1"]}, {"a": "b\0c"}],
    "vocabulary": [1, ["a"], "a\0b"],
    "window": [1, [1], [0, 1, 2], [2, 1], ["0", "1"], [0, float("inf")], [0, 10**400]],
    "layers": [1, [1], {}],
    "size": [64, [64], [64, 64, 3], [64, -1], [True, 64], [1e2, 64], ["64", "64"], [64, 10**9]],
    "grid": [1, [0, 3], [True, 1], "7x7"],
    "crop": [0, -1, 2, True, "0.5", float("nan"), 10**400],
    "mean": [0.5, [], [0.5, 0.5], ["a"], [True], [float("inf")], [10**400]],
    "std": [0.5, [0.0], [-1.0], [float("nan")]],
    "colours": [0, 2, True, 3.0, "3"],
    "interpolation": ["best", 1],
    "stretch": [1, "true"],
    "index": [-1, 1.0, True, "0"],
    "positions": [[], {"a": -1}, {"a": "1"}, {"a": True}],
    "seed": [-1, 1 << 70, 1.5, False],
    "kernels": [1, "no"],
    "ablate": [[], {"a": 1}, {"a": "0,3"}, {"a": [-1]}, {"a": [0.5]}],
    "name": [1, ["a"]],
}


@pytest.mark.parametrize("field", WRONG)
def test_every_field_of_a_file_of_networks_is_checked(tmp_path, field):
    """The line names the network, the field and its value, and what would be right."""
    for value in WRONG[field]:
        (file := tmp_path / "networks.json").write_text(json.dumps({"mine": {"model": "resnet18"} | {field: value}}))
        with pytest.raises(InputError) as raised:
            serve_config([], file)
        line = str(raised.value)
        assert line.startswith("network mine: ") and "is needed" in line and len(line) < 300 and "\n" not in line
        assert f"{field} is" in line or field == "model"


def test_all_fields_of_a_spec_but_trust_can_be_stated():
    assert {*SPEC_FIELDS, "trust"} == {field.name for field in dataclasses.fields(RecordSpec)}
    assert SPEC_FIELDS.keys() == WRONG.keys()


def test_null_stands_for_what_is_not_stated(tmp_path):
    (file := tmp_path / "networks.json").write_text(
        json.dumps({"mine": {"model": "resnet18"} | {name: None for name in SPEC_FIELDS if name != "model"}})
    )
    assert serve_config([], file).networks["mine"] == RecordSpec("resnet18")


def test_a_folder_is_that_of_networks_without_their_own(tmp_path):
    (file := tmp_path / "networks.json").write_text(
        '{"mine": {"model": "my.nets:build"}, "yours": {"model": "your.nets:build", "folder": "yours"}}'
    )
    config = serve_config([], file, folder="mine", trust=True)
    assert {name: spec.folder for name, spec in config.networks.items()} == {"mine": "mine", "yours": "yours"}


def test_methods_are_listed_with_their_parameters(capsys):
    assert cli.main(["methods"]) == 0
    output = capsys.readouterr().out
    assert "average              The mean map of each channel" in output
    assert "  count        Pictures to average over (64, 1 to 1,000,000)" in output


def test_null_takes_the_weights_from_a_shipped_network():
    specs = parse_specs({"trained": {"model": "object"}, "random": {"model": "object", "weights": None}})
    assert specs["trained"].weights and specs["random"].weights is None
    assert specs["random"].inputs == specs["trained"].inputs


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_classes": 1_500_000},
        {"num_classes": True},
        {"width_per_group": 4096},
        {"a": [{"b": 2.5}]},
        {"num_classes": "9"},
    ],
)
def test_no_file_makes_a_network_of_any_size(tmp_path, arguments):
    file = tmp_path / "networks.json"
    file.write_text(json.dumps({"mine": {"model": "resnet18", "arguments": arguments}}))
    with pytest.raises(InputError, match="network mine: its arguments may make a network of any size"):
        serve_config([], file)
    assert serve_config([], file, trust=True).networks["mine"].arguments == arguments
    file.write_text(
        json.dumps({"mine": {"model": "resnet18", "arguments": {"num_classes": 10, "zero_init_residual": True}}})
    )
    assert serve_config([], file).networks["mine"].arguments["num_classes"] == 10
