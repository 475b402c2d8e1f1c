"""Shared fixtures."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from innerwalk.torch_bridge import recording as rec

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
signal.signal(signal.SIGINT, signal.default_int_handler)  # children of a shell's background job would ignore Ctrl-C
ROOT = Path(__file__).resolve().parent.parent
EXIT_STATUS = pytest.StashKey[int]()
pytest.register_assert_rewrite("innerwalk.tests.support.live_halls")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keeps the exit status for `pytest_unconfigure`."""
    session.config.stash[EXIT_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the process without Blender's destructors, which now and then wait forever (4.5) or crash (5.2)."""
    if "bpy" in sys.modules and EXIT_STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[EXIT_STATUS])


@pytest.fixture(autouse=True)
def _denormal_numbers() -> Iterator[None]:
    """What a test's own thread was set to for a network is no matter of the next test."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """The paths that git tracks, relative to the root."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("needs a git checkout")
    return sorted(path for path in listing.stdout.decode().split("\0") if path and (ROOT / path).is_file())


@pytest.fixture(scope="session")
def checkout(tracked, tmp_path_factory) -> Path:
    """A copy of the tracked files in a folder of another name, as a fresh clone would be."""
    folder = tmp_path_factory.mktemp("clone") / "some-folder"
    for path in tracked:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)
    return folder


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real weights and photographs: INNERWALK_DATA, else shared/data beside the repository."""
    folder = Path(os.environ.get("INNERWALK_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("needs the folder of real data (INNERWALK_DATA)")
    return folder


@pytest.fixture
def empty_scene():
    """A scene in an empty Blender file."""
    bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


@pytest.fixture
def rendered(tmp_path: Path) -> Callable[..., np.ndarray]:
    """rendered(scene, width, height) -> (height, width, 3) float 0..255 sRGB, top row first, as a PNG holds it."""
    bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

    def render(scene, width: int, height: int) -> np.ndarray:
        scene.render.filepath = str(tmp_path / "rendered.png")
        scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
        bpy.ops.render.render(write_still=True, scene=scene.name)
        image, pixels = bpy.data.images.load(scene.render.filepath), np.zeros(width * height * 4, np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
        return pixels.reshape(height, width, 4)[::-1, :, :3] * 255

    return render


@pytest.fixture
def recorded(tmp_path) -> Path:
    """The folder of a small recording, made without torch: two convolutions, their sum, a vector of three classes."""
    shape = (5, 6, 4)
    layers = (
        rec.Layer("input", "input", "input", (3, 12, 8), (3, 12, 8)),
        rec.Layer("a", "Conv2d", "panel", shape, shape, "a"),
        rec.Layer("b", "Conv2d", "panel", shape, shape, "b"),
        rec.Layer(":add", "add", "panel", shape, shape, ":add"),
        rec.Layer("fc", "Linear", "panel", (3,), (3, 1, 1), "fc"),
    )
    pairs = (("input", "a"), ("a", "b"), ("a", ":add"), ("b", ":add"), (":add", "fc"))
    network = rec.Network("tiny", layers, tuple(rec.Edge(*pair) for pair in pairs), True, "by hand", 99)
    rng = np.random.default_rng(7)
    picture = rng.integers(0, 255, (12, 8, 3)).astype(np.uint8)
    answer = rec.Prediction("classes", ((1, "cat", 0.75), (0, "dog", 0.2), (2, "owl", 0.05)))
    made = rec.Recording(network, "noise", picture, answer, {}, {"seed": 7})
    made.add(
        rec.Maps(one.id, rec.ACTIVATIONS, rec.pack(rng.normal(size=one.map_shape)), one.map_shape[0])
        for one in layers[1:]
    )
    return rec.save(made, tmp_path / "recorded")


@pytest.fixture(scope="session")
def torch_python() -> str:
    """A Python that has torch, which a bridge can be started with: this one, else the repository's own."""
    here = ROOT / ".venv" / "bin" / "python"
    if importlib.util.find_spec("torch"):
        return sys.executable
    if not here.is_file():
        pytest.skip("needs a Python that has torch (this one, or .venv)")
    return str(here)
