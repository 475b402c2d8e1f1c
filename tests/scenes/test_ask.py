"""`innerwalk ask` and the scripting API: one method: table, pictures and saved recording."""

import json
import os
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.scenes import ask, cli, tables  # noqa: E402 torch decides whether this file runs
from innerwalk.scenes.options import argument_values  # noqa: E402
from innerwalk.torch_bridge import ask as ask_of  # noqa: E402
from innerwalk.torch_bridge import concepts, record  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS, parse_parameters  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, load, pack, progress  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402


def asked(*arguments):
    assert cli.main(["ask", "object", *arguments, "--device", "cpu"]) == 0


def test_activations_are_those_of_record(tmp_path, capsys):
    asked("activations", "--layers", "fc", "--layers", "stage3.1:add", "-o", str(tmp_path / "asked"))
    assert cli.main(["record", "object", "-o", str(tmp_path / "recorded")]) == 0
    mine, theirs = load(tmp_path / "asked"), load(tmp_path / "recorded")
    assert set(mine.all_maps) == {("fc", "activations"), ("stage3.1:add", "activations")}
    for key, maps in mine.all_maps.items():
        assert np.array_equal(maps.texels, theirs.all_maps[key].texels)
    assert mine.network == theirs.network
    assert mine.prediction == theirs.prediction
    assert f"saved          {tmp_path / 'asked'}" in capsys.readouterr().out


def test_globs_mean_panels_and_panels_what_they_show(tmp_path):
    asked("weights", "--layers", "stage1.0.conv*", "-o", str(tmp_path / "a"))
    assert {layer for layer, _ in load(tmp_path / "a").all_maps} == {"stage1.0.norm1", "stage1.0.norm2"}


def test_the_recording_holds_layers_and_what_the_method_said(tmp_path, capsys):
    asked("occlusion", "--layers", "fc", "--channels", "0,3-4", "--set", "size=0.5", "-o", str(tmp_path / "occ"))
    made = load(tmp_path / "occ")
    assert set(made.all_maps) == {("fc", "activations"), ("fc", "occlusion")}
    maps = made.maps("fc", "occlusion")
    assert (maps.shape, maps.channel_numbers, maps.frame) == ((3, 64, 64), (0, 3, 4), "input")
    assert made.provenance["asked"] == {
        "method": "occlusion", "channels": [0, 3, 4],
        "parameters": {
            "of": "mean", "of_class": -1, "size": 0.5, "stride": 0.5, "fill": "grey", "value": 0.0, "seed": 0,
        },
    }  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fc   3 channels of 64 × 64"
    assert [line.split() for line in lines[1:5]] == [
        ["channel", "peak", "label"],
        *([str(k), f"{maps.peak[place]:.4g}", maps.labels[place]] for place, k in enumerate((0, 3, 4))),
    ]


@pytest.mark.parametrize(("network", "data"), [("object", "concepts:object"), ("toybox", "toybox")])
def test_a_shipped_network_brings_its_pictures(tmp_path, network, data):
    arguments = f"ask {network} average --device cpu --layers fc --set count=3 --set seed=5".split()
    assert cli.main([*arguments, "-o", str(tmp_path / "own")]) == 0
    assert cli.main([*arguments, "--data", data, "-o", str(tmp_path / "named")]) == 0
    first, second = (load(tmp_path / name).maps("fc", "average").data for name in ("own", "named"))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, load(tmp_path / "own").maps("fc").data)


def test_pictures_are_written_of_the_channels_that_were_asked_about(tmp_path):
    folder = tmp_path / "pictures"
    asked("occlusion", "--layers", "stage3.1:add", "--channels", "5,70", "--set", "size=0.5", "--pictures", str(folder))
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    assert written == ["stage3.1_add.png", "stage3.1_add/0005.png", "stage3.1_add/0070.png"]
    size = struct.unpack(">II", (folder / "stage3.1_add/0005.png").read_bytes()[16:24])
    assert size == (64, 64)
    sheet = (folder / "stage3.1_add.png").read_bytes()
    shown = json.loads(sheet[sheet.index(b'{"beside"') : sheet.index(b"}", sheet.index(b'"width"')) + 1])
    assert shown["preset"] == "grid" and shown["channels"] == [5, 70], "the sheet holds what was asked, numbered"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("averag", "no method 'averag'; did you mean average"),
        ("average --set cout=3", "no parameter of average 'cout'; did you mean count?"),
        ("average --set count=many", "average: count is 'many'; a whole number is needed"),
        ("average --set count=0", "average: count is 0; it must be 1 to 1000000"),
        ("occlusion --set size=2", "occlusion: size is 2.0; it must be 0.01 to 1.0"),
        ("occlusion --layers fcc", "no layer 'fcc'; did you mean fc?"),
        ("occlusion --layers fc --channels 77", "layer fc has channels 0 to 5; there is no channel 77"),
        ("average --data nowhere", "data set nowhere: no such folder or file"),
        ("occlusion --pictures .", ".: already exists; name a new folder"),
        ("occlusion --pictures no/where", "no: no such folder"),
        ("occlusion --device tpu9", "device 'tpu9' can't be used here"),
    ],
)
def test_a_slip_is_one_line_that_says_what_is_possible(tmp_path, monkeypatch, capsys, arguments, wanted):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["ask", "object", *arguments.split()]) == 2
    said = capsys.readouterr()
    assert wanted in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("--channels 3,x", "write it like 0,3,8-11"),
        ("--channels -3", "write it like 0,3,8-11"),
        ("--channels 3-", "write it like 0,3,8-11"),
        ("--ablate fc:", "no channels are named"),
        ("--channels 0-999999999999", "'0-999999999999': no layer has a channel above 999,999"),
        ("--channels " + "9" * 5000, "no layer has a channel above 999,999"),
        ("--channels 1,8-3", "'8-3' runs backwards; write 3-8"),
        ("--set seed", "seed=3"),
        ("--set =3", "seed=3"),
    ],  # fmt: skip
)
def test_a_slip_of_the_words_is_one_line(capsys, arguments, wanted):
    flag, value = arguments.split()
    with pytest.raises(SystemExit):
        cli.main(["ask", "object", "occlusion", f"{flag}={value}"])
    told = capsys.readouterr().err
    assert wanted in told and told.count("\n") == 1 and len(told) < 250


def test_channels_are_numbers_and_ranges():
    assert argument_values.channels("0,3,8-11") == (0, 3, 8, 9, 10, 11)
    assert argument_values.channels(" 7 , 999999") == (7, 999_999)


def test_values_are_read_by_the_form():
    read = ask.read_parameters(METHODS["occlusion"], {"seed": "5", "size": "0.5", "value": "-1"})
    assert read == {"seed": 5, "size": 0.5, "value": -1.0}
    assert [type(one) for one in read.values()] == [int, float, float]


def test_a_class_may_be_said_by_name():
    method, names = METHODS["grad_cam"], ("cat", "dog")
    for text, index in (("dog", 1), ("1", 1), ("-1", -1)):
        values = ask.read_parameters(method, {"of_class": text})
        assert parse_parameters(method, values, names).of_class == index
    assert parse_parameters(method, {"of_class": "dogs"}).of_class == 0, "the classes aren't known yet"
    with pytest.raises(UnknownName, match="did you mean dog"):
        parse_parameters(method, {"of_class": "dogs"}, names)


def test_a_table_tells_what_a_channel_carries():
    maps = Maps(
        "a", "m", pack(np.zeros((3, 2, 2))), 3, labels=("cat", "", "owl"),
        extras={
            "values": np.array([1.5, 0, -2], np.float32),
            "flags": np.array([0, 1, 9], np.int32),
            "boxes": np.array([[0, 0.1, 0.2, 0.5, 0.75, 0.9], [0, 0, 0, 1, 1, 0.95]], np.float32),
            "weights:b": np.array([[2, 7, 0.5], [2, 1, -0.75]], np.float32),
        },
    )  # fmt: skip
    lines = tables.table([maps], ()).splitlines()
    assert lines[1].split() == ["channel", "value", "label", "flags", "boxes", "of", "b"]
    assert lines[2].split() == "0 1.5 cat 0.95 at 0–100 × 0–100 %; 0.90 at 10–50 × 20–75 %".split()
    assert lines[3].split() == ["1", "0", "dead"]
    assert lines[4].split() == "2 -2 owl dead, aliased 1 (-0.75), 7 (+0.5)".split()


def test_a_table_gives_the_note_of_maps():
    maps = Maps("a", "m", pack(np.zeros((2, 3, 3))), 2, note="zero everywhere: no position speaks for owl")
    assert tables.table([maps], ()).splitlines()[1].strip() == "zero everywhere: no position speaks for owl"


def test_what_maps_show_instead_is_told_and_recorded(tmp_path, capsys):
    asked("guided_backprop", "--layers", "stem.norm", "--layers", "stage1.0.norm1", "-o", str(tmp_path / "a"))
    made, note = load(tmp_path / "a"), "plain gradient: no ReLU on the way"
    assert made.maps("stem.norm", "guided_backprop").note == note
    assert made.maps("stage1.0.norm1", "guided_backprop").note == ""
    assert capsys.readouterr().out.count(f"  {note}\n") == 1


def test_pictures_that_were_not_made_are_not_told():
    texels = np.zeros((3, 2, 2, 4), np.float32)
    texels[1, ..., 3] = 1
    assert tables.visible_channels(Maps("a", "m", texels, 3, True), ()) == [1]
    assert tables.visible_channels(Maps("a", "m", texels, 3, True), (0, 1)) == [1]
    assert tables.visible_channels(Maps("a", "m", texels[:1], 1, True), (7,)) == [0]


def test_a_long_layer_is_told_in_part():
    lines = tables.table([Maps("a", "m", pack(np.ones((40, 2, 2))), 40)], ()).splitlines()
    assert len(lines) == 2 + tables.MOST_ROWS + 1
    assert lines[-1] == "  … and 8 more; -o saves all of them"


def test_the_numbers_of_attribution_methods_are_listed():
    extras = {"scores:rise": np.array([0.5, 0.1, 0.4]), "curves:rise": np.ones((2, 9))}
    extras |= {"correlations:cam": np.array([1, np.nan]), "scores:grad_cam": np.array([0.25, 0.5, -0.25])}
    lines = tables.table(
        [Maps("a", "m", np.ones((1, 2, 2, 4), np.float32), 1, True, "layer", ("bee",), extras)], ()
    ).splitlines()
    assert lines[-5:] == [
        "  scores    insertion  deletion  difference",
        "  rise           0.50      0.10        0.40",
        "  grad_cam       0.25      0.50       -0.25",
        "  correlations   1 of 2  2 of 2",
        "  cam              1.00    none",
    ]


def test_a_script_asks_about_its_own_network():
    model, names = concepts.load("object")
    model.train()
    values = torch.rand(1, 3, 64, 64) * 2 - 1
    steps = []
    known = {"mean": [0.5], "std": [0.5], "classes": names}
    made = ask_of(model, values, "occlusion", ["fc"], **known, on_step=steps.append, size=0.2)
    assert model.training
    assert np.float32(2e-38) / np.float32(16) > 0  # what the bridge sets for its thread isn't left behind
    assert steps[-1].share == 1
    model.eval()
    assert np.array_equal(made.maps("fc").data, record(model, values, layers="fc").maps("fc").data)
    hidden = values.clone()
    hidden[..., :13, :13] = 0
    with torch.no_grad():
        lost = (model(values) - model(hidden))[0]
    assert np.allclose(made.maps("fc", "occlusion").data[:, 0, 0], lost.numpy(), atol=1e-5)


def test_what_a_long_job_will_take_is_said_before_it_starts(monkeypatch, capsys, caplog):
    """saliency goes a way back for each of the 24 channels."""
    monkeypatch.setattr(progress, "LEAST_SECONDS", 0.0)
    asked("saliency", "--layers", "stage1.0.conv1")
    assert "runs of the network" in capsys.readouterr().err.splitlines()[0]
    model, _ = concepts.load("object")
    said_before = []
    ask_of(
        model,
        torch.zeros(1, 3, 64, 64),
        "saliency",
        "stage1.0.conv1",
        on_step=lambda step: said_before.append(len(caplog.records)),
    )
    assert said_before[0] == 1 and caplog.records[0].message.endswith(": 24 runs of the network")


def test_a_script_hears_of_its_slips():
    model, _ = concepts.load("object")
    values = torch.zeros(1, 3, 64, 64)
    with pytest.raises(UnknownName, match="no method 'oclusion'; did you mean occlusion"):
        ask_of(model, values, "oclusion")
    with pytest.raises(UnknownName, match="no parameter of occlusion 'place'"):
        ask_of(model, values, "occlusion", place=3)
    with pytest.raises(InputError, match="'a.png' isn't read here: pass a tensor, or make a hall with Hall.of"):
        ask_of(model, "a.png", "occlusion")


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_ends_it_with_nothing_written(tmp_path):
    arguments = "-m innerwalk.scenes ask object average --set count=1000000 -o made --progress --device cpu".split()
    run = subprocess.Popen(
        [sys.executable, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    told = ""
    deadline = time.monotonic() + 60
    while "pictures of" not in told and time.monotonic() < deadline:
        told += run.stderr.read(1)
    run.send_signal(signal.SIGINT)
    out, rest = run.communicate(timeout=30)
    assert "pictures of" in told
    assert (run.returncode, out) == (130, "")
    assert rest.rstrip().endswith("innerwalk: stopped; unfinished files were removed")
    assert not list(tmp_path.iterdir())
