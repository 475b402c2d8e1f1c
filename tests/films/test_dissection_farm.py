"""A dissection by the workers of a Dask scheduler, which have neither its folder nor its pictures."""

import subprocess

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="needs torch")

from innerwalk.tests.films.conftest import SECONDS, innerwalk, wait_for
from innerwalk.tests.support.films import errors_of

SMALL = ("dissect", "object", "--count", "600", "--layers", "stem.norm")
TABLE = "stem.norm.csv"


def dissect(*arguments):
    return subprocess.run(innerwalk(*arguments), capture_output=True, text=True, timeout=3 * SECONDS, check=False)


def test_workers_that_come_and_go_give_the_same_bits(farm, tmp_path):
    first, parts = farm.add_worker(), tmp_path / "farm" / "parts"
    command = innerwalk(*SMALL, "-o", tmp_path / "farm", "--scheduler", farm.address)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sender:
        wait_for(lambda: list(parts.glob("values-*")))
        farm.add_worker()
        first.kill()
        output, _ = sender.communicate(timeout=3 * SECONDS)
    assert sender.returncode == 0 and "saved" in output
    assert dissect(*SMALL, "-o", tmp_path / "alone").returncode == 0
    assert (tmp_path / "farm" / TABLE).read_bytes() == (tmp_path / "alone" / TABLE).read_bytes()
    assert len(list(parts.iterdir())) == 6


@pytest.mark.parametrize("layout", ["masks", "broden"])
def test_pictures_and_inputs_reach_the_workers(farm, tmp_path, layout):
    data, picture = (folder_of_masks if layout == "masks" else broden)(tmp_path / "data"), tmp_path / "shown.png"
    Image.new("RGB", (64, 64), (200, 30, 30)).save(picture)
    farm.add_worker()
    common = ("dissect", "object", "--data", data, "--image", picture, "--layers", "stem.norm", "--quantile", ".1")
    run = dissect(*common, "-o", tmp_path / "farm", "--scheduler", farm.address)
    assert run.returncode == 0, run.stderr
    assert dissect(*common, "-o", tmp_path / "alone").returncode == 0
    found = [(tmp_path / name / TABLE).read_text() for name in ("farm", "alone")]
    assert found[0] == found[1] and "left side" in found[0]


def folder_of_masks(folder):
    for name in ("images", "masks/place"):
        (folder / name).mkdir(parents=True)
    (folder / "concepts.csv").write_text("number,name,category\n1,left side,place\n")
    for k in range(5):
        save_picture(folder / "images" / f"{k}.png", k)
        mask = np.zeros((64, 64), np.uint8)
        mask[:, :20] = 1
        Image.fromarray(mask).save(folder / "masks" / "place" / f"{k}.png")
    return folder


def broden(folder):
    (folder / "images").mkdir(parents=True)
    mask = np.zeros((64, 64, 3), np.uint8)
    mask[:, :20, 0] = 1
    Image.fromarray(mask).save(folder / "images" / "mask.png")
    for k in range(5):
        save_picture(folder / "images" / f"{k}.png", k)
    (folder / "index.csv").write_text("image,object\n" + "".join(f"{k}.png,mask.png\n" for k in range(5)))
    (folder / "label.csv").write_text("number,name,category\n1,left side,object(5)\n")
    return folder


def save_picture(path, seed):
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)).save(path)


def test_a_scheduler_that_is_not_there_is_one_line(tmp_path):
    pytest.importorskip("distributed", reason="NOT RUN: needs Dask (pip install 'innerwalk[farm]')")
    run = dissect(*SMALL, "-o", tmp_path / "x", "--scheduler", "tls://127.0.0.1:1")
    assert run.returncode == 2 and "tls:// needs certificates" in run.stderr, run.stderr
    assert len(errors_of(run.stderr)) == 1, run.stderr
