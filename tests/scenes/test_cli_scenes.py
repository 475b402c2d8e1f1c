"""The command line from a recording to a file and a picture, each command in its own process."""

import json
import subprocess
import sys

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.output import png_text  # noqa: E402 bpy decides whether this file runs
from innerwalk.scenes import cli  # noqa: E402 bpy decides whether this file runs
from innerwalk.scenes.options import argument_values  # noqa: E402
from innerwalk.scenes.options.parser import ENGINES, MAPS, NORMALISATIONS, THEMES, parser  # noqa: E402


@pytest.fixture(autouse=True)
def clean():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def figure(source, out, *arguments):
    assert cli.main(["figure", str(source), "-o", str(out), "--size", "160x90", "--samples", "2", *arguments]) == 0
    return out.read_bytes()


def test_the_words_are_those_of_the_recipes():
    from innerwalk.blender_addon.scene.materials import colour_settings
    from innerwalk.blender_addon.scene.view import render

    assert ENGINES == tuple(render.ENGINES)
    assert NORMALISATIONS == tuple(colour_settings.NORMALISATIONS)
    assert THEMES
    assert MAPS


@pytest.mark.parametrize(
    ("arguments", "form"), [("scene r -o x.blend", "Appearance"), ("figure r -o x.png", "FigureOptions")]
)
def test_no_option_is_dead(arguments, form):
    """Every option of a command is a field of what the recipe takes, so that none is read and forgotten."""
    from innerwalk.blender_addon.output.figure_options import FigureOptions
    from innerwalk.blender_addon.pages.page_options import PageOptions
    from innerwalk.blender_addon.scene.hall.store import Appearance

    forms = {"Appearance": (Appearance,), "FigureOptions": (FigureOptions, PageOptions)}[form]
    known = set().union(*map(argument_values.fields_of, forms))
    said = set(vars(parser().parse_args(arguments.split())))
    named = {"recording"} if form == "Appearance" else {"source", "beside"}
    assert said - known == {"command", "debug", "progress", "output", *named}


@pytest.mark.parametrize("option", ["--width 85mm", "--dpi 300", "--channels 0,1", "--beside other"])
def test_options_of_flat_figures_are_refused_for_others(recorded, tmp_path, capsys, option):
    assert cli.main(["figure", str(recorded), "-o", str(tmp_path / "a.png"), *option.split()]) == 2
    said = capsys.readouterr().err
    assert f"{option.split()[0][2:]} is for the flat presets plate, grid, overlay" in said and said.count("\n") == 1
    assert not (tmp_path / "a.png").exists()


def test_from_a_recording_to_a_file_to_a_picture(recorded, tmp_path, capsys):
    blend, out = tmp_path / "hall.blend", tmp_path / "hall.png"
    assert cli.main(["scene", str(recorded), "-o", str(blend), "--theme", "paper"]) == 0
    assert str(blend) in capsys.readouterr().out
    told = png_text.read_texts(figure(blend, out))
    assert told["Title"] == "tiny"
    assert json.loads(told["innerwalk"])["theme"] == "paper"


def test_the_same_words_give_the_same_bytes(recorded, tmp_path):
    assert figure(recorded, tmp_path / "a.png") == figure(recorded, tmp_path / "b.png")


def test_the_look_reaches_the_picture(recorded, tmp_path):
    arguments = "--preset layer --layer b --colour-map ember --normalisation layer --gain 2 --title Mine".split()
    told = png_text.read_texts(figure(recorded, tmp_path / "a.png", *arguments))
    said = json.loads(told["innerwalk"])
    assert told["Title"] == "Mine"
    assert [said[key] for key in ("preset", "layer", "colour_map", "normalisation", "gain")] == [
        "layer",
        "b",
        "ember",
        "layer",
        2,
    ]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("scene nowhere -o x.blend", "no recording here"),
        ("scene {recorded} -o nowhere/x.blend", "no such folder"),
        ("scene {recorded} -o hall", "hall: the name of the output must end in .blend, such as hall.blend"),
        ("scene {recorded} -o .", "a folder; name a file in it"),
        ("scene {recorded} -o x.blend --gain -1", "gain -1.0: a number above 0"),
        ("figure {recorded} -o x.jpg", "x.jpg: the name of the output must end in .png, such as x.png"),
        ("figure nowhere -o x.png", "no recording here"),
        ("figure nowhere.blend -o x.png", "no such file"),
        ("figure {recorded} -o x.png --preset layer --layer c", "no panel of layer 'c'"),
        ("figure {recorded} -o nowhere/x.png", "no such folder"),
    ],
)
def test_an_error_is_one_line_and_leaves_nothing(recorded, tmp_path, monkeypatch, capsys, arguments, wanted):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert cli.main(arguments.format(recorded=recorded).split()) == 2
    said = capsys.readouterr().err
    assert wanted in said
    assert said.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_recording_is_one_line(recorded, tmp_path, capsys):
    file = next(recorded.glob("activations*.safetensors"))
    file.write_bytes(file.read_bytes()[:-40])
    assert cli.main(["scene", str(recorded), "-o", str(tmp_path / "x.blend")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "x.blend").exists()


@pytest.mark.usefixtures("recorded")
def test_the_installed_command_runs(tmp_path):
    """As a person types it. Blender says lines of its own, before ours and, out of C's buffer, after."""
    arguments = "-m innerwalk.scenes figure recorded -o x.png --size 64 --samples 1".split()
    run = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "saved x.png" in run.stdout.splitlines(), run.stdout + run.stderr
