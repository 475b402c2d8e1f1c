"""`innerwalk render` of a film: whoever renders frames, in whatever order and after whatever stop, pixels are equal."""

import importlib.util
import os
import shutil
import signal
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.recipes import read_recipe  # noqa: E402
from innerwalk.scenes import cli  # noqa: E402
from innerwalk.scenes.film_files.child_process import ChildProcess  # noqa: E402
from innerwalk.scenes.film_files.film_bundle import unpack  # noqa: E402
from innerwalk.scenes.film_files.frame_folder import FrameFacts, FrameFolder, encode_frame  # noqa: E402
from innerwalk.scenes.film_files.local_farm import run_by_children  # noqa: E402
from innerwalk.scenes.film_files.recipe_bundle import bundle_film  # noqa: E402
from innerwalk.scenes.render_recipe import RecipeRun  # noqa: E402
from innerwalk.tests.support.films import FRAMES, SIZE, errors_of, film_pixels, same_film, write_film_recipe  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, load, pack  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError  # noqa: E402
from innerwalk.torch_bridge.recording.series_writing import SeriesWriter  # noqa: E402


@pytest.fixture
def recipe(empty_scene, recorded):
    return write_film_recipe(recorded)


@pytest.fixture
def bundle(recipe, tmp_path):
    return bundle_film(RecipeRun(read_recipe(recipe), recipe.parent, False), tmp_path, print)


def render(recipe, out, *options):
    return cli.main(["render", str(recipe), "-o", str(out), *options])


def test_all_ways_lead_to_the_same_pixels(recipe, tmp_path, capsys):
    one, more, bits = (tmp_path / name for name in ("one", "more", "bits"))
    assert render(recipe, one) == 0
    assert "6 frames rendered, 0 were there" in capsys.readouterr().out
    pictures = film_pixels(one / "walk_frames")
    assert len(pictures) == FRAMES and pictures[0].shape == (SIZE[1], SIZE[0], 4)
    assert not np.array_equal(pictures[0], pictures[3])
    assert render(recipe, more, "--workers", "2") == 0
    assert same_film(one / "walk_frames", more / "walk_frames")
    assert render(recipe, bits, "--frames", "5,2-4:2") == 0
    assert "frames 1, 3, 6 are still to be rendered" in capsys.readouterr().out and not (bits / "walk.mp4").exists()
    assert render(recipe, bits, "--frames", "6,1-4") == 0
    assert "3 frames rendered, 2 were there" in capsys.readouterr().out
    assert same_film(one / "walk_frames", bits / "walk_frames")
    assert (bits / "walk.mp4").is_file()
    assert render(recipe, bits) == 0 and "walk.mp4 is of these frames already" in capsys.readouterr().out
    recipe.write_text(recipe.read_text().replace("[film]", "[film]\nposter = 2"))
    assert render(recipe, bits) == 0 and "walk_poster.png" in capsys.readouterr().out
    with Image.open(bits / "walk_poster.png") as poster:
        assert np.array_equal(np.asarray(poster.convert("RGBA")), pictures[1])
    if importlib.util.find_spec("av"):
        import av

        with av.open(str(bits / "walk.mp4")) as video:
            assert len(list(video.decode(video=0))) == FRAMES and video.streams.video[0].average_rate == FRAMES


def test_broken_frames_are_made_again_and_whole_ones_kept(recipe, tmp_path, capsys):
    assert render(recipe, tmp_path / "out") == 0
    frames = tmp_path / "out" / "walk_frames"
    shutil.copytree(frames, tmp_path / "good")
    content = (frames / "0002.png").read_bytes()
    (frames / "0002.png").write_bytes(content[:-20])
    (frames / "0004.png").write_bytes(content[: len(content) // 2] + b"\0\0" + content[len(content) // 2 + 2 :])
    (frames / "0005.png").unlink()
    times = {path.name: path.stat().st_mtime_ns for path in frames.iterdir()}
    assert render(recipe, tmp_path / "out") == 0
    assert "3 frames rendered, 3 were there" in capsys.readouterr().out
    assert same_film(frames, tmp_path / "good")
    kept = ("0001.png", "0003.png", "0006.png")
    assert all((frames / name).stat().st_mtime_ns == times[name] for name in kept)


def test_no_link_leads_out_of_the_folder(recipe, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "walk_frames").symlink_to(tmp_path / "elsewhere")
    assert render(recipe, tmp_path / "out") == 2
    assert "it is a link" in capsys.readouterr().err and not list((tmp_path / "elsewhere").iterdir())


def test_another_film_keeps_no_frame(recipe, tmp_path, capsys):
    render(recipe, tmp_path / "out")
    recipe.write_text(recipe.read_text().replace('title = "Tiny"', 'title = "Other"'))
    assert render(recipe, tmp_path / "out", "--frames", "1-3") == 0
    assert "3 frames rendered, 0 were there" in capsys.readouterr().out.split("saved")[-1]


def test_frames_beside_a_recording_are_no_part_of_it(recipe, recorded, capsys):
    assert render(recipe, recorded, "--frames", "1-2") == 0
    assert render(recipe, recorded, "--frames", "2-3") == 0
    assert "1 frames rendered, 1 were there" in capsys.readouterr().out


def test_a_folder_without_a_recording_is_refused(recipe, tmp_path, capsys):
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "data.bin").touch()
    text = recipe.read_text()
    recipe.write_text(f'schema = 1\nrecording = "{tmp_path}/large"\n{text[text.index("[film]") :]}')
    assert render(recipe, tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/large: no recording or series is in this folder" in said and len(errors_of(said)) == 1


def test_errors_name_files_as_the_person_does(recipe, recorded, tmp_path, capsys):
    text = recipe.read_text()
    (tmp_path / "own.blend").write_bytes(b"none")
    recipe.write_text(text.replace(f'"{recorded.name}"', '"own.blend"'))
    assert render(recipe, tmp_path / "out") == 2
    assert f"{tmp_path}/own.blend: not a Blender file" in capsys.readouterr().err
    (recorded / "recording.json").write_text("{}")
    recipe.write_text(text)
    assert render(recipe, tmp_path / "out") == 2
    assert f"{recorded}/recording.json: not a recording" in capsys.readouterr().err


def test_a_shot_of_a_series_needs_one(recipe, tmp_path, capsys):
    recipe.write_text(recipe.read_text().replace('kind = "orbit"', 'kind = "series"'))
    assert render(recipe, tmp_path / "out") == 2
    assert "a shot of kind series needs a series" in capsys.readouterr().err


def test_a_film_goes_into_a_folder(recipe, tmp_path, capsys):
    assert render(recipe, recipe) == 2 and render(recipe, recipe / "deeper") == 2
    said = errors_of(capsys.readouterr().err)
    assert len(said) == 2 and all("it is a file, or in one; a folder is needed" in line for line in said)


def test_frames_of_several_machines_are_refused_unless_wanted(recipe, bundle, tmp_path, capsys):
    folder = FrameFolder(tmp_path / "out" / "walk_frames", SIZE, bundle.film)
    folder.write(2, encode_frame(np.zeros((64, 96, 4), np.uint8), FrameFacts(bundle.film, "another driver")))
    assert render(recipe, tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "another driver" in said and "--mixed" in said and len(errors_of(said)) == 1
    assert [path.name for path in folder.path.iterdir()] == ["0002.png"]
    assert render(recipe, tmp_path / "out", "--mixed") == 0
    assert (tmp_path / "out" / "walk.mp4").is_file()


def test_a_killed_process_costs_its_frame(recipe, bundle, tmp_path):
    started, threads = [], 1
    laid_out = unpack(bundle, {digest: bundle.files[name] for name, digest in bundle.hashes.items()}, tmp_path / "film")

    def start():
        started.append(ChildProcess(laid_out, bundle.film, threads))
        return started[-1]

    folder = FrameFolder(tmp_path / "frames", SIZE, bundle.film)
    frames = [*range(1, FRAMES + 1)] * 10  # so many that no process has rendered them all before it is killed
    for number, (frame, png) in enumerate(run_by_children(frames, 1, start)):
        folder.write(frame, png)
        if number in (0, 20):
            os.kill(started[-1].process_id, signal.SIGKILL)
    assert len(started) == 3 and number == 59
    render(recipe, tmp_path / "out")
    assert same_film(folder.path, tmp_path / "out" / "walk_frames")
    for child in started:
        with pytest.raises(ProcessLookupError):
            os.kill(child.process_id, 0)


def test_an_error_in_a_process_is_its_line_here(bundle, tmp_path):
    laid_out = unpack(bundle, {digest: bundle.files[name] for name, digest in bundle.hashes.items()}, tmp_path / "film")
    (laid_out.parent / "recording" / "recording.json").unlink()
    with pytest.raises(Exception, match=r"recording\.json") as raised:
        list(run_by_children([1, 2], 1, lambda: ChildProcess(laid_out, bundle.film)))
    assert type(raised.value).__name__ == "RecordingError"


def test_a_process_that_always_ends_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(SceneError, match="ended 3 times"):
        list(run_by_children([1], 1, lambda: ChildProcess(tmp_path, "film")))


@pytest.mark.parametrize(
    ("output", "kind"), [("walk.gif", "GIF"), ("walk.webp", "WEBP"), ("stills", None), ("deep/walk.mp4", None)]
)
def test_the_name_says_what_is_written(empty_scene, recorded, tmp_path, output, kind):
    recipe = write_film_recipe(recorded, output, poster=3)
    assert render(recipe, tmp_path / "out") == 0
    target = tmp_path / "out" / output
    folder = target.with_name(f"{target.stem}_frames") if target.suffix else target
    assert len(film_pixels(folder)) == FRAMES
    with Image.open(target.with_name(f"{target.stem}_poster.png")) as poster:
        assert np.array_equal(np.asarray(poster.convert("RGBA")), film_pixels(folder)[2])
    if kind:
        with Image.open(target) as film:
            assert (film.format, film.n_frames) == (kind, FRAMES)
    elif target.suffix:
        assert b"moov" in target.read_bytes()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--frames", "7"], "the film has frames 1 to 6"),
        (["--workers", "2", "--scheduler", "tls://a:1"], "name one"),
        (["--workers", "-1"], "1 to 256"),
        (["--workers", "0"], "1 to 256"),
        (["--scheduler", "tcp://192.0.2.7:8786"], "only tls:// is used"),
        (["--scheduler", "8786"], "write it like tls://host:8786"),
    ],
)
def test_a_job_that_cannot_be_done_is_one_line(recipe, tmp_path, capsys, options, says):
    assert render(recipe, tmp_path / "out", *options) == 2
    said = capsys.readouterr().err
    assert says in said and len(errors_of(said)) == 1 and not list((tmp_path / "out").glob("*_frames"))


def test_a_poster_that_is_asked_for_later_is_written(empty_scene, recorded, tmp_path, capsys):
    out = tmp_path / "out"
    assert render(write_film_recipe(recorded, "walk.gif"), out) == 0
    assert render(write_film_recipe(recorded, "walk.gif", poster=3), out) == 0
    assert (out / "walk_poster.png").is_file() and "0 frames rendered" in capsys.readouterr().out


def test_only_a_recordings_own_files_are_of_a_film(bundle, recipe, recorded, tmp_path):
    (recorded / "mine.txt").symlink_to(recipe)
    (recorded / "more").mkdir()
    (recorded / "more" / "recording.json").write_text("{}")
    again = bundle_film(RecipeRun(read_recipe(recipe), recipe.parent, False), tmp_path, print)
    assert again.film == bundle.film and "recording/recording.json" in again.files


def test_a_system_without_processes_is_one_line(monkeypatch, tmp_path):
    def start(*arguments, **options):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(SceneError, match="a process can't be started"):
        list(run_by_children([1], 1, lambda: ChildProcess(tmp_path, "film")))


def test_a_check_is_of_figures(recipe, tmp_path, capsys):
    assert render(recipe, tmp_path / "out", "--check") == 2
    assert "--check renders figures once more" in capsys.readouterr().err


def test_a_poster_is_a_frame_of_the_film(empty_scene, recorded, tmp_path, capsys):
    assert render(write_film_recipe(recorded, poster=7), tmp_path / "out") == 2
    assert "no frame 7; the film has frames 1 to 6" in capsys.readouterr().err


def test_a_sphere_for_two_eyes_has_both(empty_scene, recorded, tmp_path, capsys):
    recipe = write_film_recipe(recorded, seconds=0.34, size=[128, 128], panorama=True)
    assert render(recipe, tmp_path / "out") == 0
    first = film_pixels(tmp_path / "out" / "walk_frames")[0].astype(int)
    assert first.shape == (128, 128, 4)
    left, right = first[:64], first[64:]
    assert np.abs(left - right).max() > 20  # the eyes see things from two places
    assert np.abs(left - right).mean() < 10  # but the same things
    assert np.abs(left[:3] - right[:3]).mean() < 1 and left[:, :, :3].std() > 5
    content = (tmp_path / "out" / "walk.mp4").read_bytes()
    assert b"st3d" in content and b"equi" in content
    recipe = write_film_recipe(recorded, size=[128, 64], panorama=True)
    assert render(recipe, tmp_path / "flat") == 2 and "it is square" in capsys.readouterr().err
    recipe = write_film_recipe(recorded, "walk.mov", size=[128, 128], panorama=True)
    assert render(recipe, tmp_path / "flat") == 2 and ".mp4 only" in capsys.readouterr().err


def test_jobs_of_frames_need_a_film(recipe, tmp_path, capsys):
    recipe.write_text(recipe.read_text().split("[film]")[0] + '[[figures]]\noutput = "a.png"\n')
    assert render(recipe, tmp_path / "out", "--frames", "1") == 2
    assert "it has no [film]" in capsys.readouterr().err


def test_a_bundle_has_all_that_a_split_film_shows(recipe, recorded, tmp_path):
    shutil.copytree(recorded, tmp_path / "other")
    text = recipe.read_text().replace('kind = "orbit"', 'kind = "split"\nbeside = "other"')
    recipe.write_text(text.replace(f'"{recorded.name}"', f'"{recorded}"'))
    bundle = bundle_film(RecipeRun(read_recipe(recipe), recipe.parent, False), tmp_path, print)
    names = {name.split("/")[0] for name in bundle.files}
    assert names == {"recording", "other-0"} and str(tmp_path) not in bundle.recipe
    (recorded / ".part-1-1-00000000-x").mkdir()
    (recorded / ".part-1-1-00000000-x" / "half").touch()
    again = bundle_film(RecipeRun(read_recipe(recipe), recipe.parent, False), tmp_path, print)
    assert again.film == bundle.film
    (recorded / "recording.json").write_bytes((recorded / "recording.json").read_bytes() + b" ")
    assert bundle_film(RecipeRun(read_recipe(recipe), recipe.parent, False), tmp_path, print).film != bundle.film
    assert render(recipe, tmp_path / "out", "--workers", "1", "--frames", "2") == 0


def test_a_series_goes_along_in_any_order(empty_scene, recorded, tmp_path):
    first, rng = load(recorded), np.random.default_rng(3)
    with SeriesWriter(tmp_path / "clip", "frame", 12.0) as writer:
        for number in range(3):
            entry = replace(first, all_maps={})
            entry.add(
                Maps(maps.layer, maps.method, pack(rng.normal(size=maps.shape)), maps.channels)
                for maps in first.all_maps.values()
            )
            writer.add(f"frame {number}", entry)
    recipe = write_film_recipe(recorded)
    text = recipe.read_text().replace('kind = "orbit"', 'kind = "series"')
    recipe.write_text(text.replace(f'"{recorded.name}"', '"clip"'))
    assert render(recipe, tmp_path / "one") == 0
    assert render(recipe, tmp_path / "two", "--workers", "1", "--frames", "5-6,1") == 0
    assert render(recipe, tmp_path / "two", "--frames", "2-4") == 0
    assert same_film(tmp_path / "one" / "walk_frames", tmp_path / "two" / "walk_frames")


def test_a_network_runs_at_the_sender(empty_scene, tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    recipe = tmp_path / "net.toml"
    recipe.write_text(
        'schema = 1\n[network]\nmodel = "object"\n[film]\noutput = "a"\nsize = [96, 64]\nrate = 4\npasses = 1\n'
        '[[shots]]\nkind = "orbit"\nseconds = 1.0\n'
    )
    bundle = bundle_film(RecipeRun(read_recipe(recipe), tmp_path, False), tmp_path / "scratch", print)
    assert "[network]" not in bundle.recipe and "recording/recording.json" in bundle.files
    assert render(recipe, tmp_path / "out", "--workers", "1", "--frames", "2") == 0
    assert len(film_pixels(tmp_path / "out" / "a")) == 1
