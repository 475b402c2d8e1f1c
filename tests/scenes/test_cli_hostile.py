"""The command line with arguments that nobody would write: each ends with an answer or one line, never with a fault."""

import contextlib
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="needs torch")

from innerwalk.scenes import cli
from innerwalk.tests.support import ROOT
from innerwalk.torch_bridge.recording import load

ODD = (
    "",
    " ",
    ".",
    "-",
    "\0",
    "a\0b",
    "\n",
    "NaN",
    "nan",
    "inf",
    "-1",
    "0",
    "1",
    "3",
    "1e-300",
    "1e400",
    "1e-9",
    "9" * 400,
    "0x0",
    "1x1",
    "0,0,0",
    "1,2",
    "[" * 20_000,
    "{}",
    "[]",
    "null",
    '{"a": 1}',
    '{"a": ' * 500,
    "none.png",
    "none.npy",
    "/dev/zero",
    "/dev/full/x",
    "x" * 300,
    "x:y",
    ":",
    "::",
    "a=b",
    "=",
    "*",
    "[",
    "é\udcff",
    "noise:0",
    "noise:",
    "noise:1:9999999999999x2",
    "noise:1:1x1",
    "meta",
    "cpu",
    "cuda:99",
    "DEFAULT",
    "object",
    "pair",
    "conv",
    "stem.conv",
    "stem.conv:0",
    "stage2.*",
    "concepts:object",
    "concepts:none",
    "average",
    "saliency",
    "tile",
    "recording",
    "recording/recording.json",
    "deep.json",
    "damaged.pt",
    "script.png",
    "names.json",
    "count=3",
    "seed=x",
    "os:system",
)
COMMANDS = {
    "record": (2, ("--image", "--input", "--size", "--crop", "--mean", "--std", "--colours", "--interpolation",
                   "--index", "--layers", "--position", "--grid", "--arguments", "--weights", "--classes", "--ablate",
                   "--name", "--seed", "--folder", "--stretch", "--kernels", "--trust", "--overwrite",
                   "--keyword", "--vocabulary", "--window")),
    "ask": (2, ("--layers", "--channels", "--set", "--data", "--device", "--input", "--size", "--ablate", "--classes",
                "--weights", "--arguments")),
    "scene": (1, ("--method", "--theme", "--gain", "--collapse", "--title", "--colour-map", "--normalisation")),
    "figure": (1, ("--method", "--gain", "--collapse", "--preset", "--layer", "--scene", "--samples", "--engine")),
    "serve": (1, ("--networks", "--data", "--folder", "--device", "--port", "--connection")),
    "methods": (0, ("--progress",)),
    "doctor": (0, ("--progress",)),
    "demo": (0, ("--progress",)),
}  # fmt: skip
"""Positional arguments of each command, and options to make."""
FIXED = {
    "record": ["-o", "made", "--layers", "stem.conv"],
    "ask": ["--layers", "stem.conv", "--set", "count=2"],
    "scene": ["-o", "made.blend"],
    "figure": ["-o", "made.png", "--size", "32x32", "--samples", "1"],
    "serve": ["--port", "1x"],  # so that none is served for ever; replaced where the port is made
    "demo": ["-o", "names.json/x"],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a recording and with damaged files."""
    folder = tmp_path_factory.mktemp("odd")
    here = os.getcwd()
    os.chdir(folder)
    try:
        assert run(["record", "object", "--layers", "stem.conv", "-o", "recording"])[0] == 0
        (folder / "deep.json").write_text("[" * 20_000)
        (folder / "damaged.pt").write_bytes(b"PK\3\4" + b"\xff" * 60 + b"PK\5\6" + b"\xff" * 18)
        (folder / "script.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
        (folder / "names.json").write_text(json.dumps(["a", "b"]))
        yield folder
    finally:
        os.chdir(here)


def run(arguments):
    """The exit status and the standard error of a command."""
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        try:
            status = cli.main(arguments)
        except SystemExit as left:
            status = left.code
    return status, said.getvalue()


def made(command):
    """Arguments of a command: valid and odd ones, in any combination."""
    count, options = COMMANDS[command]
    usual = ["object", "average", "recording"][: 2 if command in ("record", "ask") else 3]
    value = st.sampled_from(ODD) | st.text(max_size=12)
    positional = st.lists(st.sampled_from(usual) | value, min_size=count, max_size=count)
    chosen = st.lists(st.tuples(st.sampled_from(options), value), max_size=3)
    return st.tuples(positional, chosen).map(
        lambda parts: [command, *parts[0], *FIXED.get(command, []), *(text for pair in parts[1] for text in pair)]
    )


def check(arguments):
    status, said = run(arguments)
    assert status in (0, 2), (arguments, status, said[-400:])
    assert "bug in innerwalk" not in said and "Traceback" not in said
    if status == 2:
        assert said.count("\n") == 1 and len(said) < 1100, (arguments, said)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in ("scene", "figure", "demo")])
def test_no_argument_is_a_fault(place, command):
    @settings(max_examples=25 if COMMANDS[command][0] else 3, suppress_health_check=list(HealthCheck))
    @given(made(command))
    def try_it(arguments):
        check(arguments)

    try_it()


@pytest.mark.parametrize("command", ["scene", "figure", "demo"])
def test_no_argument_is_a_fault_in_blender(place, command):
    pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

    @settings(max_examples=12 if COMMANDS[command][0] else 1, suppress_health_check=list(HealthCheck))
    @given(made(command))
    def try_it(arguments):
        check(arguments)

    try_it()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--crop", "1e-9", "--size", "32"],
        ["--std", "1e-300"],
        ["--mean", "1e300"],
        ["--input", "noise:1:" + "9" * 30 + "x2"],
        ["--input", "noise:1:999999x999999"],
        ["--input", "long.npy"],
        ["--input", "script.png"],
        ["--input", "a\0b.png"],
        ["--input", "names.npz:" + "k" * 9000],
        ["--input", "text:a"],
        ["--input", "ids:1,2"],
        ["--keyword", "x=a\0b.npy"],
        ["--keyword", "y=noise:1"],
        ["--vocabulary", "damaged.pt"],
        ["--window", "nan:1"],
        ["--window", "-1e308:1e308"],
        ["--window", "2:1"],
        ["--arguments", "[" * 20_000],
        ["--weights", "damaged.pt"],
        ["--weights", "."],
        ["--classes", "deep.json"],
        ["-o", ""],
        ["-o", "names.json"],
        ["-o", "deep"],
    ],
)
def test_what_was_once_a_fault_is_one_line(place, arguments):
    np.save(place / "long.npy", np.zeros((1, 3, 8, 8), np.longdouble))
    (place / "deep").mkdir(exist_ok=True)
    (place / "deep" / "recording.json").write_text("[" * 20_000)
    check(command := ["record", "object", "-o", "made", *arguments])
    assert run(command)[0] == 2


def test_a_device_without_values_is_one_line(place):
    check(command := ["ask", "object", "average", "--device", "meta"])
    assert run(command)[0] == 2


def test_the_recording_is_still_whole(place):
    assert load(place / "recording").network.layers


@pytest.mark.parametrize(
    ("missing", "command"),
    [
        ("torch", ["record", "object", "-o", "x"]),
        ("torch", ["ask", "object", "average"]),
        ("torch", ["serve", "object"]),
        ("torch", ["methods"]),
        ("torch", ["demo"]),
        ("PIL", ["record", "object", "-o", "x"]),
        ("bpy", ["demo"]),
        ("bpy", ["figure", str(ROOT / "blender_addon" / "demo"), "-o", "x.png"]),
        ("bpy", ["scene", "r", "-o", "x.blend"]),
    ],
)
def test_what_is_not_installed_is_named(tmp_path, missing, command):
    code = (
        f"import sys; sys.modules[{missing!r}] = None; sys.modules.setdefault('bpy', None)\n"
        "from innerwalk.scenes.cli import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT.parent)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    wanted = missing if command[0] != "demo" else "bpy"  # which it needs first
    assert f"({wanted}) isn't installed here; innerwalk doctor" in done.stderr
