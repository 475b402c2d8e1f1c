"""The series that a .blend file shows goes along with a film's bundle, and is part of its hash."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.recipes import read_recipe  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.scenes.film_files.film_bundle import unpack  # noqa: E402
from innerwalk.scenes.film_files.recipe_bundle import bundle_film  # noqa: E402
from innerwalk.scenes.film_run import open_film  # noqa: E402
from innerwalk.scenes.render_recipe import RecipeRun  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, SeriesWriter, load, pack  # noqa: E402
from innerwalk.torch_bridge.recording.errors import RecordingError  # noqa: E402


def write_clip(folder, recorded, seed: int) -> None:
    first, rng = load(recorded), np.random.default_rng(seed)
    with SeriesWriter(folder, "frame") as writer:
        for number in range(2):
            entry = replace(first, all_maps={})
            entry.add(
                Maps(maps.layer, maps.method, pack(rng.normal(size=maps.shape)), maps.channels)
                for maps in first.all_maps.values()
            )
            writer.add(f"frame {number}", entry)


@pytest.fixture
def keyed(empty_scene, recorded, tmp_path):
    """The recipe of a .blend file whose camera and series are keyed."""
    write_clip(tmp_path / "clip", recorded, 1)
    scene = create_hall(load(recorded))
    actions.open_series(scene, tmp_path / "clip")
    scene.render.fps = 10
    scene.frame_start, scene.frame_end = 1, 10
    actions.key_shot(scene, "series", seconds=1.0)
    save_hall(scene, tmp_path / "hall.blend")
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'schema = 1\nrecording = "hall.blend"\n[film]\noutput = "a"\nsize = [96, 64]\npasses = 1\nprogress = false\n'
        '[[shots]]\nkind = "camera"\n'
    )
    return recipe


def test_the_series_of_a_blend_file_goes_along(keyed, recorded, tmp_path):
    def bundle():
        return bundle_film(RecipeRun(read_recipe(keyed), tmp_path, False), tmp_path / "scratch", print)

    here = open_film(read_recipe(keyed), tmp_path, trust=False)
    wanted = [here.render(frame) for frame in (0, 9)]
    assert here.film.at(9).position == 1 and np.abs(wanted[0].astype(int) - wanted[1]).max() > 50
    first = bundle()
    assert {name.split("/")[0] for name in first.files} == {"recording.blend", "recording.series"}
    stored = {}
    for name, digest in first.hashes.items():
        stored[digest] = tmp_path / digest
        shutil.copy(first.files[name], stored[digest])
    write_clip(tmp_path / "clip", recorded, 2)
    assert bundle().film != first.film, "frames notice that the series has changed"
    shutil.rmtree(tmp_path / "clip")
    there = open_film(read_recipe(unpack(first, stored, tmp_path / "there")), tmp_path / "there", trust=False)
    assert all(np.array_equal(there.render(frame), picture) for frame, picture in zip((0, 9), wanted, strict=True))


def test_a_series_that_is_gone_is_told_in_one_line(keyed, tmp_path):
    shutil.rmtree(tmp_path / "clip")
    assert {*bundle_film(RecipeRun(read_recipe(keyed), tmp_path, False), tmp_path, print).files} == {"recording.blend"}
    with pytest.raises(RecordingError, match="clip"):
        open_film(read_recipe(keyed), tmp_path, trust=False)
