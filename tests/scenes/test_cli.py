"""The command line: arguments are parsed, and an error is one line without a traceback."""

import errno
import io
import os
import signal
import subprocess
import sys

import pytest

from innerwalk.scenes import cli, progress
from innerwalk.scenes.interrupt import signals_deferred
from innerwalk.scenes.options import argument_values
from innerwalk.torch_bridge.recording import load, safetensors
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName


def run(monkeypatch, error, *arguments):
    """The exit status of a command that fails with `error`."""

    def fail(said, progress):
        raise error

    monkeypatch.setitem(cli.COMMANDS, "doctor", fail)
    return cli.main(["doctor", *arguments])


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("cat.png: no such file; name a picture"), 2, "innerwalk: cat.png: no such file; name a picture"),
        (UnknownName("layer", "convl", ["conv1", "fc"]), 2, "innerwalk: no layer 'convl'; did you mean conv1?"),
        (KeyboardInterrupt(), 130, "innerwalk: stopped; unfinished files were removed"),
        (
            OSError(errno.ENOSPC, "No space left", "out.png"),
            2,
            "the disk is full: out.png; nothing was left half-written",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "out"), 2, "innerwalk: Permission denied: out"),
        (
            IsADirectoryError(errno.EISDIR, "Is a directory", "out/.part-7", None, "out/a.csv"),
            2,
            "innerwalk: Is a directory: out/a.csv",
        ),
        (MemoryError(), 2, "innerwalk: not enough memory"),
        (ZeroDivisionError("division by zero\nmore"), 1, "bug in innerwalk, ZeroDivisionError: division by zero"),
    ],
)
def test_an_error_is_one_line(monkeypatch, capsys, error, status, line):
    assert run(monkeypatch, error) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert line in said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_what_the_terminal_lacks_is_a_question_mark(monkeypatch):
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    monkeypatch.setitem(cli.COMMANDS, "doctor", lambda said, progress: print("64×64"))
    assert cli.main(["doctor"]) == 0
    ascii_only.flush()
    assert ascii_only.buffer.getvalue() == f"64?64{os.linesep}".encode()


def test_debug_shows_where(monkeypatch):
    with pytest.raises(InputError):
        run(monkeypatch, InputError("wrong"), "--debug")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], "COMMAND"),
        (["recrod"], "no 'recrod'; did you mean record"),
        (["record", "object"], "-o"),
        (["record", "object", "-o", "x", "--size", "big"], "1920x1080"),
        (["record", "object", "-o", "x", "--size", "0x3"], "1920x1080"),
        (["record", "object", "-o", "x", "--mean", "a,b"], "0.485"),
        (["record", "object", "-o", "x", "--arguments", "[1]"], "JSON object"),
        (["record", "object", "-o", "x", "--keyword", "mask.npy"], "write it like mask=mask.npy"),
        (["record", "object", "-o", "x", "--keyword", "a b=x.npy"], "write it like mask=mask.npy"),
        (["record", "object", "-o", "x", "--window", "4095"], "write its two levels like 0:4095"),
        (["figure", "x", "-o", "y.png", "--preset", "above"], "overview"),
        (
            ["figure", "x", "-o", "y.png", "--normalisation", "chanel"],
            "no 'chanel'; did you mean channel? See innerwalk",
        ),
        (["figure", "x", "-o", "y.png", "--normalisation", "zzz"], "choose from"),
        (["record", "object", "-o", "x", "--layres", "conv1"], "innerwalk record: unknown argument '--layres'"),
        (["record", "object", "-o", "x", "--layres=conv1"], "did you mean --layers"),
        (["record", "object", "-o", "x", "y"], "unknown argument 'y'; see innerwalk record --help"),
        (["serve", "object", "--port", "70000"], "0 to 65535"),
        (["serve", "object", "--data", "birds"], "birds=pictures/birds"),
    ],
)
def test_a_slip_on_the_command_line_is_one_line(capsys, arguments, wanted):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert wanted in said
    assert said.count("\n") == 1


def test_sizes_are_width_by_height():
    assert argument_values.size("640x480") == (640, 480)
    assert argument_values.size("224") == (224, 224)
    assert argument_values.page_width("85") == argument_values.page_width("8.5cm") == 85.0


def test_every_command_has_help_with_its_words(capsys):
    for command in cli.COMMANDS:
        with pytest.raises(SystemExit) as left:
            cli.main([command, "--help"])
        assert left.value.code == 0
        assert f"innerwalk {command}" in capsys.readouterr().out


def test_what_is_said_of_a_recording_reaches_the_recorder(monkeypatch, tmp_path):
    """Sizes turn to (height, width), repeated arguments keep their order, what was not said is left to be found out."""
    from innerwalk.torch_bridge import subject

    seen = []

    def stop(spec, progress):
        seen.append(spec)
        raise InputError("enough")

    monkeypatch.setattr(subject, "record_from", stop)
    arguments = (
        'record my.nets:build --folder mine --arguments {"depth":4} --image a.png --input noise:3 --size 64x32'
        " --mean 0.5,0.4,0.3 --keyword mask=m.npz:a=b --keyword ids=ids:1,2 --vocabulary v.txt --window=-10:40.5"
    )
    assert cli.main([*arguments.split(), "--layers", "a.*", "--layers", "b", "-o", str(tmp_path / "x")]) == 2
    (spec,) = seen
    assert spec == subject.RecordSpec(
        "my.nets:build",
        arguments={"depth": 4},
        folder="mine",
        inputs=("a.png", "noise:3"),
        size=(32, 64),
        mean=(0.5, 0.4, 0.3),
        keywords={"mask": "m.npz:a=b", "ids": "ids:1,2"},
        vocabulary="v.txt",
        window=(-10.0, 40.5),
        layers=("a.*", "b"),
    )


def test_an_input_is_named_once(capsys, tmp_path):
    twice = ["record", "resnet18", "-o", str(tmp_path / "x"), "--keyword", "x=a.npy", "--keyword", "x=b.npy"]
    assert cli.main(twice) == 2
    assert "--keyword x is given twice; give each argument once" in capsys.readouterr().err


def test_what_was_done_to_each_input_and_to_the_weights_is_said(capsys, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="needs torch")
    from innerwalk.tests.support import SUPPORT

    monkeypatch.syspath_prepend(str(SUPPORT))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("[UNK]\na\nsmall\ncat\n")
    torch.save({"state_dict": {"net.table.weight": torch.eye(20, 5), "loss.weight": torch.ones(2)}}, "last.ckpt")
    command = "record input_models:tokens --weights last.ckpt --vocabulary words.txt --input".split()
    assert cli.main([*command, "text:a small dog", "-o", "x"]) == 0
    said = capsys.readouterr().out
    assert "input          text:a small dog\n" in said
    assert "preprocessing  3 tokens of words.txt: a small [UNK]; unknown: dog\n" in said
    assert "left out       1 of the file (loss.weight)\n" in said
    assert "takes          ids (tokens)\nreturns        output (classes)\n" in said
    assert load(tmp_path / "x").inputs[0].labels == ("a", "small", "[UNK]")


def test_time_left_is_proportion():
    assert progress.time_left(30.0, 0.25) == "1:30 left"
    assert progress.time_left(30.0, 0.0) == ""
    assert progress.time_left(0.1, 0.5) == ""


def test_progress_is_one_line_that_is_wiped():
    stream = io.StringIO()
    with progress.ProgressBar(stream, shown=True) as told:
        told("recording", 0.5)
        told("recording", 0.5)
        told("recording", 2.0)
    drawn = stream.getvalue().split("\r")
    assert len(drawn) == 4
    assert " 50%  recording" in drawn[1]
    assert "100%  recording" in drawn[2]
    assert drawn[3] == "\033[K"


def test_a_piece_of_the_work_is_a_part_of_the_whole():
    stream = io.StringIO()
    with progress.ProgressBar(stream, shown=True) as told:
        told.part(0.5, 0.9)("rendering", 0.5)
    assert " 70%  rendering" in stream.getvalue()


def test_progress_without_a_terminal_is_a_line_now_and_then(monkeypatch):
    stream, seconds = io.StringIO(), iter([0.0, 9.9, 10.0, 15.0, 20.0, 20.1])
    monkeypatch.setattr(progress.time, "perf_counter", lambda: next(seconds))
    with progress.ProgressBar(stream, shown=False) as told:
        for share in (0.1, 0.25, 0.3, 0.5, 0.6):
            told("rise, 4 of 16 masks", share)
    lines = "innerwalk: 25%  rise, 4 of 16 masks  0:30 left\ninnerwalk: 50%  rise, 4 of 16 masks  0:20 left\n"
    assert stream.getvalue() == lines


QUIET = "def wait(said, progress):\n    print('ready', flush=True)\n    time.sleep(30)\n"
DEAF = """
def wait(said, progress):
    with output_files.replaced(Path("picture.png"), ".png") as part:
        part.write_text("half")
        print("ready", flush=True)
        while True:
            try:
                time.sleep(30)
            except KeyboardInterrupt:
                continue
"""


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("work", [QUIET, DEAF], ids=["Python hears it", "Blender swallows it"])
def test_ctrl_c_is_one_line_and_leaves_nothing(tmp_path, work, number):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom innerwalk.blender_addon.output import output_files\n"
        f"from innerwalk.scenes import cli\n{work}\n"
        "cli.COMMANDS['doctor'] = wait\nsys.exit(cli.main(['doctor']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said.strip().count("\n")) == (130, 0)
    assert said.strip() == "innerwalk: stopped; unfinished files were removed"
    assert list(tmp_path.iterdir()) == []


def test_signals_wait_for_what_cannot_bear_them():
    reached = []
    with pytest.raises(KeyboardInterrupt), signals_deferred():
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("the end")
    assert reached and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_record_stores_float16_only_where_half_is_asked_for(tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    found = {}
    for name, more in (("whole", []), ("half", ["--half"])):
        assert cli.main(["record", "object", "--layers", "stem.*", "-o", str(tmp_path / name), *more]) == 0
        (file,) = (tmp_path / name).glob("activations-*.safetensors")
        found[name] = safetensors.open_arrays(file)[0]["stem.norm"].dtype.name
    assert found == {"whole": "float32", "half": "float16"}
    exact, rounded = (load(tmp_path / name).maps("stem.norm").data for name in found)
    assert 0 < abs(exact - rounded).max() <= abs(exact).max() / 2048
