"""A film rendered by the workers of a Dask scheduler."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from innerwalk.tests.films.conftest import SECONDS, innerwalk, wait_for
from innerwalk.tests.support.films import errors_of, same_film

MACHINES = Path(__file__).with_name("machines.sh")


def render(recipe, out, farm, *options):
    command = innerwalk("render", recipe, "-o", out, "--scheduler", farm.address, *options)
    return subprocess.run(command, capture_output=True, text=True, timeout=3 * SECONDS, check=False)


def test_workers_render_the_same_pixels_though_some_come_and_go(film, serial, farm, tmp_path):
    first, frames = farm.add_worker(), tmp_path / "out" / "walk_frames"
    command = innerwalk("render", film, "-o", tmp_path / "out", "--scheduler", farm.address)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        wait_for(lambda: len(list(frames.glob("0*.png"))) >= 4)
        farm.add_worker()  # comes late, and has none of the files yet
        first.kill()
        output, _ = sender.communicate(timeout=3 * SECONDS)
    assert sender.returncode == 0 and "24 frames rendered, 0 were there" in output
    assert same_film(frames, serial, 24)
    assert (tmp_path / "out" / "walk.mp4").is_file()


def test_ctrl_c_ends_the_sender_alone_and_the_film_goes_on(film, serial, farm, tmp_path):
    """Frames that have come are kept; the worker stays, and renders the rest for whoever asks next."""
    worker, frames = farm.add_worker(), tmp_path / "out" / "walk_frames"
    command = innerwalk("render", film, "-o", tmp_path / "out", "--scheduler", farm.address)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as sender:
        wait_for(lambda: len(list(frames.glob("0*.png"))) >= 4)
        sender.send_signal(signal.SIGINT)
        _, said = sender.communicate(timeout=SECONDS)
    assert sender.returncode == 130 and "stopped" in said and len(errors_of(said)) == 1, said
    assert worker.poll() is None and 4 <= len(list(frames.glob("0*.png"))) < 24
    assert not list((tmp_path / "out").rglob(".part-*"))
    run = render(film, tmp_path / "out", farm)
    assert run.returncode == 0 and ", 0 were there" not in run.stdout and same_film(frames, serial, 24)


def test_a_mixed_farm_is_refused_and_its_frames_stay(film, farm, tmp_path):
    """Mesa names the width of its vectors, as it would another version of itself."""
    farm.add_worker()
    farm.add_worker(LP_NATIVE_VECTOR_WIDTH="128")
    run = render(film, tmp_path / "out", farm)
    assert run.returncode == 2 and "add --mixed" in run.stderr and "128 bits" in run.stderr
    assert len(errors_of(run.stderr)) == 1, run.stderr
    assert render(film, tmp_path / "out", farm, "--mixed").returncode == 0
    assert len(list((tmp_path / "out" / "walk_frames").iterdir())) == 24


def test_a_farm_without_workers_is_one_line(film, farm, tmp_path, monkeypatch):
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_PATIENCE, *innerwalk("render", film, "-o", tmp_path / "out")[3:]]
        + ["--scheduler", farm.address],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 2 and "no worker there" in run.stderr and len(errors_of(run.stderr)) == 1, run.stderr


def test_tls_without_certificates_is_one_line(film, tmp_path):
    pytest.importorskip("distributed")
    command = innerwalk("render", film, "-o", tmp_path / "out", "--scheduler", "tls://127.0.0.1:1")
    run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert run.returncode == 2 and "tls:// needs certificates" in run.stderr, run.stderr
    assert len(errors_of(run.stderr)) == 1, run.stderr


WITHOUT_PATIENCE = """
import os, sys
from innerwalk.scenes import cli
from innerwalk.scenes.film_files import dask_farm
dask_farm.TIMEOUT = 2.0
status = cli.main(sys.argv[1:])
sys.stderr.flush()
os._exit(status)
"""


def test_machines_in_networks_of_their_own_render_by_tls_and_one_dies(film, serial, namespaces, tmp_path):
    run = subprocess.run(
        [*namespaces, "bash", MACHINES, sys.executable, film, tmp_path / "out"],
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "killed a worker" in run.stdout and "24 frames rendered" in run.stdout
    assert same_film(tmp_path / "out" / "walk_frames", serial, 24)
