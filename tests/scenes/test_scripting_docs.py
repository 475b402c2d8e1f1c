"""Each script of docs/scripting.md and README's runs as it stands there, in its own process, and does what it says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")
pytest.importorskip("torch", reason="needs torch")

from PIL import Image

from innerwalk.tests.support.clips import write_clip
from innerwalk.tests.support.pictures import read_picture
from innerwalk.torch_bridge import concepts
from innerwalk.torch_bridge.server.config import parse_specs
from innerwalk.torch_bridge.subject import record_from

ROOT = Path(__file__).resolve().parent.parent.parent
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.M | re.S)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
SCRIPTS = {
    title.partition(".")[0]: code
    for title, text in SECTION.findall((ROOT / "docs" / "scripting.md").read_text("utf-8"))
    for code in BLOCK.findall(text)
}
README = [code for code in BLOCK.findall((ROOT / "README.md").read_text("utf-8")) if "Hall" in code]
LAYER = "stage1.0.conv1"
TEXELS = """
import hashlib, sys
import bpy, numpy as np
for image in bpy.data.images:
    if image.get("innerwalk_raw") and image.size[0]:
        pixels = np.zeros(4 * image.size[0] * image.size[1], np.float32)
        image.pixels.foreach_get(pixels)
        print("TEXELS", image.name, hashlib.sha256(pixels).hexdigest())
sys.stdout.flush()
import os
os._exit(0)  # Blender 4.5 may wait for its own threads for ever
"""
OPEN = "import bpy, sys; sys.modules['innerwalk'] = None; bpy.ops.wm.open_mainfile(filepath=sys.argv[1])"


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Path:
    """A folder with the files that the scripts name: two pictures, a folder of three, and two recordings."""
    folder = tmp_path_factory.mktemp("material")
    (folder / "pictures").mkdir()
    names = ("parrot.jpg", "owl.jpg", *(f"pictures/{number}.jpg" for number in range(3)))
    for index, name in enumerate(names):
        Image.fromarray(concepts.picture(index)).resize((96, 80)).save(folder / name)
    (folder / "recordings").mkdir()
    for name, spec in parse_specs({"one": {"model": "object"}, "two": {"model": "object", "weights": None}}).items():
        record_from(spec).save(folder / "recordings" / name)
    return folder


@pytest.fixture
def folder(material, tmp_path) -> Path:
    """A copy of the material for one script."""
    return Path(shutil.copytree(material, tmp_path / "folder"))


def run(code: str, folder: Path, *arguments: str) -> str:
    """Runs a script in a process of its own, and returns what it prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def texels(output: str) -> list[str]:
    """The lines of TEXELS in an output, which may have Blender's own lines too."""
    return sorted(line for line in output.splitlines() if line.startswith("TEXELS"))


def assert_saved(code: str, folder: Path, name: str) -> None:
    """The script's file holds, for a process that has no innerwalk, exactly what the script had shown."""
    shown = texels(run(code + TEXELS, folder))
    assert len(shown) > 10 and texels(run(OPEN + TEXELS, folder, name)) == shown


def picture(folder: Path, name: str, width: int, height: int) -> np.ndarray:
    """A figure that has something in it, (height, width, 3 or 4) uint8."""
    found = read_picture(folder / name)
    assert found.shape[:2] == (height, width) and found[..., :3].std() > 5, name
    return found.astype(int)


def test_ten_scripts_and_readmes_are_tested():
    assert SCRIPTS.keys() == set(map(str, range(1, 11))) and len(README) == 1
    assert len(README[0].splitlines()) <= 12


def test_readme(folder):
    assert_saved(README[0], folder, "parrot.blend")
    picture(folder, "parrot.png", 1920, 1080)


def test_a_hall_in_three_lines(folder):
    assert_saved(SCRIPTS["1"], folder, "object.blend")


def test_your_own_model(folder):
    check = """
from innerwalk.torch_bridge import record
recording = record(model, inputs)
for panel in hall.panels:
    assert np.array_equal(panel.values, recording.maps(panel.shown_layer).data), panel.layer
assert model.training
"""
    assert "tensor 1×3×32×32" in run("import numpy as np\n" + SCRIPTS["2"] + check, folder)


def test_five_figures_of_a_paper(folder):
    run(SCRIPTS["3"], folder)
    shown = {name: picture(folder, f"{name}.png", 960, 540) for name in ("hall", "layer", "tiles", "grad_cam")}
    assert len({found.tobytes() for found in shown.values()}) == 4
    assert picture(folder, "print.png", 960, 540).shape[2] == 4


def test_your_own_camera_lights_and_objects(folder):
    code = SCRIPTS["4"]
    run(code, folder)
    lit = picture(folder, "mine.png", 640, 360)
    assert "My note" in run(OPEN + "; print(*bpy.data.objects.keys())", folder, "mine.blend")
    run(code.replace("hall.scene.collection.objects.link(thing)", "pass"), folder)
    without = picture(folder, "mine.png", 640, 360)
    assert (np.abs(lit - without).max(2) > 30).mean() > 0.01, "the note is in the picture"


def test_your_own_materials_and_geometry_nodes(folder):
    run(SCRIPTS["5"], folder)
    lifted = picture(folder, "lifted.png", 640, 360)
    run(SCRIPTS["5"].replace('default_value = "peak"', 'default_value = "nothing"'), folder)
    assert (np.abs(lifted - picture(folder, "lifted.png", 640, 360)).max(2) > 8).mean() > 0.01


def test_several_networks(folder):
    run(SCRIPTS["6"], folder)
    picture(folder, "both.png", 640, 360)
    shown = picture(folder, "difference.png", 640, 360)
    assert (shown[60:300, 20:320].max(2) > 60).mean() > 0.2, "the networks differ"


def test_a_folder_of_pictures(folder):
    run(SCRIPTS["7"], folder)
    shown = [picture(folder, f"{number}.png", 640, 360) for number in range(3)]
    assert all(np.abs(shown[k] - shown[k - 1]).any() for k in range(3))


def test_a_video(folder):
    write_clip(sys.executable, folder / "clip.mp4", 6, 25)
    run(SCRIPTS["8"], folder)
    frames = sorted((folder / "frames").iterdir())
    assert len(frames) == 3
    shown = [read_picture(frame).astype(int) for frame in frames]
    assert all(np.abs(shown[k] - shown[k - 1]).max() > 8 for k in range(3)), "each frame shows maps of its own"


def test_numbers(folder):
    output = run(SCRIPTS["9"], folder)
    assert "without two channels:" in output and "dead channels:" in output
    assert np.load(folder / "stem.npy").ndim == 3
    (exported,) = [found for found in folder.iterdir() if (found / "export.json").is_file()]
    assert (exported / "values.safetensors").is_file()


def test_a_cluster(folder):
    code = SCRIPTS["10"]
    for number in range(2):
        run(f"import os; os.environ.update(SLURM_ARRAY_TASK_ID='{number}', JOBS='2')\n{code}", folder)
    split = [picture(folder, f"{name}.png", 640, 360) for name in ("one", "two")]
    run(code, folder)
    together = [picture(folder, f"{name}.png", 640, 360) for name in ("one", "two")]
    assert all(np.array_equal(*pair) for pair in zip(split, together, strict=True))


def test_a_script_that_runs_twice_and_two_at_once_give_the_same_pixels(material, tmp_path):
    code = SCRIPTS["1"] + "hall.figure('a.png', size=(320, 180), samples=4)"
    places = [tmp_path / name for name in ("first", "second", "third")]
    for place in places:
        place.mkdir()
    run(code, places[0])
    both = [
        subprocess.Popen([sys.executable, "-c", code], cwd=place, stdout=subprocess.DEVNULL) for place in places[1:]
    ]
    assert [process.wait(300) for process in both] == [0, 0]
    assert len({(place / "a.png").read_bytes() for place in places}) == 1
