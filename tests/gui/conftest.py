"""Fixtures of the tests in a window of Blender. `make test-gui` runs them and sets RIG_ROOT."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
collect_ignore_glob = [] if "RIG_ROOT" in os.environ else ["test_*.py"]


@pytest.fixture(scope="session")
def package(tmp_path_factory) -> Path:
    """The extension's zip, built from the working tree; beside it lies the recording of the network `object`."""
    from innerwalk.tests.support import OBJECT_RECORDING
    from innerwalk.tests.test_extension import blender_ext

    folder = tmp_path_factory.mktemp("zip")
    run = blender_ext("build", "--source-dir", ROOT, "--output-dir", folder)
    assert run.returncode == 0, run.stdout + run.stderr
    shutil.copytree(OBJECT_RECORDING, folder / OBJECT_RECORDING.name)
    return next(folder.glob("innerwalk-*.zip"))


@pytest.fixture(scope="session")
def play(package) -> Callable[..., dict]:
    """play(name, seconds=600, mode="window", compositor="null") -> what sessions/NAME.py reported.

    The session must reach its end, every check must hold and Blender must print no traceback. Pictures and logs:
    out/gui/NAME.
    """

    def run(name: str, seconds: int = 600, mode: str = "window", compositor: str = "null") -> dict:
        out = ROOT / "out" / "gui" / name
        shutil.rmtree(out, ignore_errors=True)
        command = [ROOT / "tests/rig/run.sh", mode, HERE / "sessions" / f"{name}.py", package.parent, out]
        small = {"RIG_SIZE": "480x320"} if mode == "vr" else {}  # its picture isn't used
        rig = {"INNERWALK_PYTHON": sys.executable, "RIG_LIMIT": str(seconds), "RIG_COMPOSITOR": compositor}
        scale = {"RIG_SCALE": "50"} if compositor == "main" else {}
        environment = os.environ | small | rig | scale
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return judged(out, done)

    return run


def judged(out: Path, done: subprocess.CompletedProcess[str]) -> dict:
    result = json.loads((out / "result.json").read_text()) if (out / "result.json").is_file() else {}
    log = (out / "blender.log").read_text(errors="replace") if (out / "blender.log").is_file() else ""
    assert "error" not in result, result["error"]
    assert result.get("finished"), f"ended with {done.returncode} {done.stdout}{done.stderr}\n{log[-3000:]}"
    assert [what for what, held in result["checks"].items() if not held] == []
    assert "Traceback" not in log, log[-3000:]
    assert done.returncode == 0
    return result
