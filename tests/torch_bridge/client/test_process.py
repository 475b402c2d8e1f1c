"""A bridge as a child process: it ends with its parent, its crash is reported with its last error line."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge import client
from innerwalk.torch_bridge.client import frames
from innerwalk.torch_bridge.client.process import ROOT, BridgeProcess, start_process
from innerwalk.torch_bridge.recording.errors import BridgeError, InputError, ModelError, UnknownName
from innerwalk.torch_bridge.server.config import ServeConfig
from innerwalk.torch_bridge.server.start import open_bridge
from innerwalk.torch_bridge.subject import RecordSpec, record_from

OWN = """
import os, sys, torch
from torch import nn
torch.set_num_threads(1)
print("loud at import")
class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        print("loud when built", flush=True)
        self.a, self.b = nn.Conv2d(3, width, 3), nn.Linear(width, 3)
    def forward(self, x):
        print('{"port": 1}', flush=True)
        os.write(1, b"louder\\n")
        assert sys.stdin.read() == ""
        return self.b(self.a(x).mean((2, 3)))
def crashing():
    sys.stderr.write("the roof is on fire\\n")
    sys.stderr.flush()
    os._exit(9)
def raising():
    raise ValueError("the depth must be\\na prime")
class Kills(Net):
    def forward(self, x):
        y = self.a(x)
        if x.max() > 100:
            sys.stderr.write("no way on\\n")
            sys.stderr.flush()
            os.kill(os.getpid(), 9)
        return y
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """The user's folder: a module, beside some with the names of folders of innerwalk."""
    (tmp_path / "mynet.py").write_text(OWN)
    (tmp_path / "scenes.py").write_text("from mynet import Net as build\n")
    (tmp_path / "tests.py").write_text("from mynet import Net as build\n")
    return tmp_path


def config(model="mynet:Net", **fields):
    return {"networks": {"mine": {"model": model, "size": [16, 16], **fields}}, "device": "cpu"}


def gone(pid: int) -> bool:
    """Whether a process has ended, or ends within some seconds."""
    for _ in range(1000):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def test_an_own_network_prints_and_is_recorded_all_the_same(folder, monkeypatch):
    messages = []
    with client.start_bridge(
        sys.executable, config(arguments={"width": 6}), lambda message, share: messages.append((message, share)), folder
    ) as bridge:
        recording = bridge.record("mine", [client.noise(4)])
        assert bridge.record("mine", [client.noise(4)]).prediction == recording.prediction
        assert bridge.child.last_error_line() == "louder"
        pid = bridge.child.process.pid
        assert bridge.child.alive
    assert gone(pid)
    assert messages == [("loading mine", 0.0), ("ready", 1.0)]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdin", open(os.devnull))
    monkeypatch.syspath_prepend(str(folder))
    known = record_from(RecordSpec("mynet:Net", {"width": 6}, size=(16, 16), inputs=("noise:4",), layers=("panels",)))
    sys.stdin.close()
    assert recording.all_maps.keys() == known.all_maps.keys()
    assert all(np.array_equal(maps.texels, known.all_maps[key].texels) for key, maps in recording.all_maps.items())
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == [
        "mynet.py",
        "scenes.py",
        "tests.py",
    ]


@pytest.mark.parametrize("module", ["scenes", "tests"])
def test_a_module_called_as_a_folder_of_ours(folder, module):
    with client.start_bridge(sys.executable, config(f"{module}:build"), folder=folder) as bridge:
        assert bridge.describe()["networks"][0]["parameters"] == 4 * 27 + 4 + 15


def failing(config, python=sys.executable, folder=None) -> Exception:
    with pytest.raises((BridgeError, ModelError, InputError, UnknownName)) as caught:
        client.start_bridge(python, config, folder=folder).__exit__()
    assert "\n" not in str(caught.value)
    return caught.value


def test_what_a_network_raises_on_load_is_told_as_it_is(folder):
    error = failing(config("mynet:raising"), folder=folder)
    assert type(error) is ModelError and str(error) == "mynet:raising() failed: ValueError: the depth must be"
    error = failing(config("mynet:Nett"), folder=folder)
    assert type(error) is UnknownName and "no factory in mynet 'Nett'; did you mean Net" in str(error)


def test_a_folder_that_is_not_there_is_told(folder):
    error = failing(config(), folder=folder / "nowhere")
    assert type(error) is ModelError and "nowhere: no such folder" in str(error)
    with client.start_bridge(sys.executable, config(folder=str(folder)), folder=folder / "nowhere") as bridge:
        assert bridge.record("mine", [client.noise(1)]).network.layers  # its own folder comes first


def test_the_child_keeps_the_environment_but_not_what_is_meant_for_this_python(folder, monkeypatch, tmp_path):
    (folder / "env.py").write_text(
        "import os, sys, mynet\n"
        "def build():\n"
        "    raise ValueError([os.environ.get(name) for name in ('PYTHONPATH', 'OWN', 'GOMP_SPINCOUNT')])\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "of_blender"))
    monkeypatch.setenv("OWN", "kept")
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    assert "[None, 'kept', '1000']" in str(failing(config("env:build"), folder=folder))


def test_a_crash_on_load_is_told_with_its_last_words(folder):
    error = failing(config("mynet:crashing"), folder=folder)
    assert type(error) is BridgeError
    assert str(error) == f"the bridge that {sys.executable} ran has ended: the roof is on fire (status 9)"


def test_a_crash_while_it_runs_is_told_and_another_can_be_started(folder):
    with client.start_bridge(sys.executable, config("mynet:Kills"), folder=folder) as bridge:
        np.save(folder / "hot.npy", np.full((3, 16, 16), 200, np.float32))
        twin = bridge.new_connection()
        for asker in (bridge, twin):
            with pytest.raises(BridgeError, match=r"has ended or can't be reached .*no way on \(killed by SIGKILL\)"):
                asker.record("mine", [client.file(folder / "hot.npy")])
        assert not bridge.child.alive
    with client.start_bridge(sys.executable, config("mynet:Kills"), folder=folder) as bridge:
        assert bridge.record("mine", [client.noise(1)]).all_maps


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (
            {"networks": {"mine": {"model": "resnet50", "wieghts": "x"}}},
            "network mine: no field 'wieghts'; did you mean weights",
        ),
        ({"networks": {"mine": {"weights": "x"}}}, "network mine: an object such as"),
        ({"networks": {"mine": "resnet50"}}, "network mine: an object such as"),
        ({"networks": ["resnet50"]}, "networks is .* dict is needed"),
        ({"netwroks": {}}, "no field 'netwroks'; did you mean networks"),
        ({"port": "80"}, "port is '80'; int is needed"),
        ({"port": 99999999}, "port 99999999 can't be used"),
        ({"port": 1 << 80}, "port .* can't be used"),
        ({"device": "warp"}, "device 'warp' can't be used here"),
        ({"data": {"x": "/no/such"}}, "data set /no/such: no such folder"),
        ({"data": {"x": 3}}, "data must map names to places"),
    ],
)
def test_a_wrong_config_is_one_line(wrong, line):
    with pytest.raises((BridgeError, InputError, ModelError), match=line) as caught:
        open_bridge(ServeConfig.parse({"device": "cpu"} | wrong)).server_close()
    assert "\n" not in str(caught.value)


def test_a_wrong_config_is_reported_to_the_parent():
    error = failing(config(wieghts="x"))
    assert type(error) is InputError and str(error).startswith("network mine: no field 'wieghts'; did you mean weights")


def test_no_such_python(tmp_path):
    error = failing(config(), str(tmp_path / "python"))
    assert "can't be started" in str(error) and "choose a Python that has torch" in str(error)
    (tmp_path / "python").write_text("#!/bin/sh\necho 'I am no Python' >&2\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    assert str(failing(config(), str(tmp_path / "python"))).endswith("has ended: I am no Python (status 3)")


def test_a_python_without_torch_is_named(tmp_path):
    """A start-up file hides torch, as if it were not installed."""
    (tmp_path / "python").write_text(
        f"#!/bin/sh\nshift 2\ncode=\"$1\"; shift\nexec {sys.executable} -c '\n"
        "import importlib.util, sys\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == \"torch\" else find(name, *rest)\n"
        "exec(sys.argv.pop(1))' \"$code\" \"$@\"\n"
    )  # fmt: skip
    (tmp_path / "python").chmod(0o755)
    error = failing(config(), str(tmp_path / "python"))
    assert str(error) == f"{sys.executable} has no torch; choose a Python that has, or install what is missing"


def test_it_starts_without_anything_installed():
    """`__main__` checks for packages before it imports any of them."""
    code = "import sys; sys.modules.update(dict.fromkeys(['numpy', 'torch', 'PIL'])); sys.argv = ['x', 'serve']\n"
    code += f"sys.path.insert(0, {str(ROOT)!r})\n"
    code += "import importlib.util; importlib.util.find_spec = lambda name: None\n"
    code += "from torch_bridge import __main__ as it; sys.exit(it.main(['serve']))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "has no numpy and no pillow and no torch" in run.stderr and run.stderr.count("\n") == 1


def test_another_protocol_is_refused(folder, monkeypatch):
    from innerwalk.torch_bridge.client import process as child

    started = start_process(sys.executable, config(), folder)
    monkeypatch.setattr(child, "PROTOCOL", 99)
    try:
        with pytest.raises(BridgeError, match="the bridge speaks protocol 2, this side 99"):
            started.wait()
    finally:
        started.end()
    assert gone(started.process.pid)


def test_a_wrong_token_is_refused_and_the_child_goes_on(folder):
    with client.start_bridge(sys.executable, config(), folder=folder) as bridge:
        with pytest.raises(BridgeError, match="wrong token"):
            client.Bridge(bridge.port, "guess").describe()
        assert bridge.describe()["device"] == "cpu"
        assert bridge.token not in Path(f"/proc/{bridge.child.process.pid}/cmdline").read_text()
        assert bridge.token not in Path(f"/proc/{bridge.child.process.pid}/environ").read_text()


def test_it_ends_when_its_input_does(folder):
    for ready in (True, False):  # also while it still loads
        child = start_process(sys.executable, config(), folder)
        if ready:
            child.wait()
        child.process.stdin.close()
        assert gone(child.process.pid)
        child.end()


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("ready", [True, False])
def test_it_dies_with_its_parent_however_that_ends(folder, ready):
    code = (
        "import sys, time\nfrom innerwalk.torch_bridge.client.process import start_process\n"
        f"child = start_process(sys.executable, {config()!r}, {str(folder)!r})\n"
        f"{'child.wait()' if ready else ''}\nprint(child.process.pid, flush=True)\ntime.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_of_the_terminal_is_the_parents(folder):
    with client.start_bridge(sys.executable, config(), folder=folder) as bridge:
        os.kill(bridge.child.process.pid, signal.SIGINT)
        assert bridge.record("mine").all_maps


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_a_bridge_that_is_stopped_for_a_while_answers_when_it_goes_on(folder):
    with client.start_bridge(sys.executable, config(), folder=folder) as bridge:
        process = bridge.child.process.pid
        os.kill(process, signal.SIGSTOP)
        threading.Timer(1.0, os.kill, (process, signal.SIGCONT)).start()
        start = time.monotonic()
        assert bridge.record("mine").all_maps and time.monotonic() - start > 0.9


def fake(tmp_path, code: str) -> BridgeProcess:
    """A child process that runs `code`."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    return BridgeProcess(process, "python", "token", {})


def test_other_lines_on_its_output_become_messages(tmp_path):
    lines = ["hello", "5", "{}", "[1]", '{"told": "loading"}', json.dumps({"port": 7, "protocol": frames.PROTOCOL})]
    child, messages = fake(tmp_path, f"print({chr(10).join(lines)!r}, flush=True); input(); input()"), []
    assert child.wait(lambda message, share: messages.append((message, share))) == 7
    assert [message for message, _ in messages] == ["hello", "5", "{}", "[1]", "loading"]
    assert child.next_message() is None and child.alive
    child.end()
    assert not child.alive


def test_a_child_that_will_not_end_is_killed(tmp_path, monkeypatch):
    from innerwalk.torch_bridge.client import process as room

    monkeypatch.setattr(room, "GRACE_SECONDS", 0.2)
    child = fake(tmp_path, 'import time; print(\'{"told": "here"}\', flush=True); time.sleep(60)')
    while child.next_message() is None:
        time.sleep(0.01)
    child.end()
    assert child.process.returncode == -signal.SIGKILL
    assert child.last_error_line() == "no error output (killed by SIGKILL)"
