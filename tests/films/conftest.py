"""Fixtures of the tests with Dask, Debian's ffmpeg, other machines and full disks. `make test-films` runs them."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
collect_ignore_glob = [] if "INNERWALK_FILMS" in os.environ else ["test_*.py"]
SECONDS = 120
"""To wait for what other processes do, on a busy machine."""


def innerwalk(*arguments: object) -> list[str]:
    """The command line of `innerwalk …`."""
    return [sys.executable, "-m", "innerwalk.scenes", *map(str, arguments)]


def wait_for(what: Callable[[], object]) -> object:
    """Waits until something is true, and returns it."""
    end = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="session")
def namespaces() -> list[str]:
    """The command that runs another as root of networks, mounts and processes of its own."""
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("NOT RUN: needs namespaces that a user may make (unshare --user --net)")
    return command


@pytest.fixture
def film(recorded) -> Path:
    """A recipe of 24 frames that take long enough to interfere."""
    from innerwalk.tests.support.films import write_film_recipe

    return write_film_recipe(recorded, rate=24, size=[320, 180], passes=4)


@pytest.fixture
def serial(film, tmp_path) -> Path:
    """The frames of the film, rendered by one process."""
    subprocess.run(innerwalk("render", film, "-o", tmp_path / "serial"), check=True)
    return tmp_path / "serial" / "walk_frames"


class Farm:
    """A Dask scheduler on the loopback address and its workers, each a process without a nanny."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.processes = folder, folder / "scheduler.json", []
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.address = str(wait_for(self._address))

    def _address(self) -> str:
        return json.loads(self.file.read_text())["address"] if self.file.exists() and self.file.stat().st_size else ""

    def add_worker(self, **environment: str) -> subprocess.Popen:
        place = self.folder / f"worker-{len(self.processes)}"
        options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(place)]
        return self._start("dask_worker", *options, **environment)

    def _start(self, module: str, *options: str, **environment: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(self.file), *options]
        self.processes.append(
            subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | environment, start_new_session=True)
        )
        return self.processes[-1]

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def farm(tmp_path) -> Iterator[Farm]:
    """A farm without workers."""
    if not importlib.util.find_spec("distributed"):
        pytest.skip("NOT RUN: needs Dask (pip install 'innerwalk[farm]')")
    started = Farm(tmp_path)
    yield started
    started.end()
