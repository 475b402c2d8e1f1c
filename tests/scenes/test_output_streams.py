"""Standard output and error that are closed or full, and Ctrl-C while the command line is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
SAVE = """
import sys
from pathlib import Path
from innerwalk.scenes import cli

def save(options, progress):
    for k in range(100):
        progress("saving", k / 100)
    print("x" * 100_000)
    Path("saved").write_text("whole")
    print("saved")

cli.COMMANDS["doctor"] = save
sys.argv = ["innerwalk", "doctor", "--progress"]
cli.run()
"""


@pytest.mark.parametrize(
    ("ending", "status", "line"),
    [
        ("| head -c 1 >/dev/null", 0, ""),
        (">&-", 0, ""),
        (">/dev/null 2>&-", 0, ""),
        (">&- 2>&-", 0, ""),
        (">/dev/null 2>/dev/full", 0, ""),
        (">/dev/full", 2, "standard output can't be written"),
    ],
)
def test_the_work_is_done_whoever_listens(tmp_path: Path, ending: str, status: int, line: str) -> None:
    (tmp_path / "save.py").write_text(SAVE)
    shell = f"set -o pipefail; '{sys.executable}' save.py {ending}"
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, capture_output=True, text=True)
    assert (tmp_path / "saved").read_text() == "whole"
    assert done.returncode == status, done.stderr
    assert line in done.stderr and "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("module", ["options.parser", "interrupt"])
def test_ctrl_c_while_modules_are_imported_is_one_line(tmp_path: Path, module: str) -> None:
    code = (
        "import os, signal, sys\n"
        "sys.argv = ['innerwalk', 'doctor']\n"
        "from innerwalk.scenes.__main__ import run\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == 'innerwalk.scenes.{module}':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr.strip() == "innerwalk: stopped; unfinished files were removed"
