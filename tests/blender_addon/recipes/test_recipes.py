"""Recipes are read with all that is wrong at its line, and what is written is read back."""

import os
from pathlib import Path

import pytest

from innerwalk.blender_addon.films import Film, FilmHall, ShotOptions, plan_film
from innerwalk.blender_addon.layout import lay_out, shown_graph
from innerwalk.blender_addon.recipes import (
    FigureEntry,
    InputEntry,
    Recipe,
    ShotEntry,
    json_schema,
    parse_recipe,
    path_between,
    read_recipe,
    write_recipe,
)
from innerwalk.blender_addon.recipes.key_lines import find_key_lines
from innerwalk.tests.support import OBJECT_RECORDING
from innerwalk.torch_bridge.recording import load
from innerwalk.torch_bridge.recording.errors import InputError

ROOT = Path(__file__).resolve().parents[3]

FIGURE = '[[figures]]\noutput = "a.png"\n'
NETWORK = 'schema = 1\n[network]\nmodel = "resnet18"\n'
WHOLE = Recipe(
    network={
        "model": "resnet18",
        "weights": "a.pt",
        "size": [64, 48],
        "crop": 0.5,
        "ablate": {"layer1.0 conv": [0, 5]},
        "stretch": False,
    },
    weights_sha256="0" * 64,
    inputs=(InputEntry('a "b" \\ ü.png', sha256="f" * 64), InputEntry("ids:1,2", "input_ids")),
    look={"theme": "paper", "gain": 2.5, "moved": {"fc": [1.0] * 16, "a.b": [-0.5e-7] * 16}},
    figures=(
        FigureEntry("a.png", options={"preset": "layer", "layer": "fc", "transparent": True}),
        FigureEntry("b/c.png", "grad_cam", ["layer4*"], [1, 2], {"of_class": 0, "name": "x"}, "photos", {"samples": 8}),
    ),
    film={"output": "a/film.mp4", "size": [960, 540], "rate": 29.97, "progress": False, "theme": "dark"},
    shots=(
        ShotEntry("tour", options={"seconds": 12, "title": "In", "join": "cut"}),
        ShotEntry("split", "owl"),
        ShotEntry("follow", pictures=["made", "top"], options={"layer": "fc"}),
        ShotEntry("dolly", options={"layer": "fc", "channel": 0, "speed": 0.5}),
    ),
)

ONLY_OF_OTHERS = ('# beside = "owl"  # On the right', "# first = ", "# last = ", "# pictures = ")
"""Keys that a shot of kind dolly can't have."""


@pytest.mark.parametrize("comments", [True, False])
def test_what_is_written_is_read_back(comments):
    assert parse_recipe(write_recipe(WHOLE, comments)) == WHOLE


def test_each_commented_choice_is_right_when_it_is_taken():
    film = {"film": {"output": "a.mp4"}, "shots": (ShotEntry("dolly"),)}
    text = write_recipe(
        Recipe(network={"model": "a"}, inputs=(InputEntry("a.png"),), figures=(FigureEntry("a.png"),), **film)
    )
    text = "\n".join(line for line in text.split("\n") if not line.startswith(ONLY_OF_OTHERS))
    chosen = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.split("\n"))
    parse_recipe(chosen)


def test_all_that_is_wrong_is_told_at_once_with_its_line():
    text = """schema = 1
recording = "x"  # [[figures]]
[[figures]]
output = "a.png"
prest = "overview"

[[figures]]
output = "../a.png"
size = [
  1, # one
  2,
  3]
[look]
title = '''
[look]
'''
gain = -1
"theme" = "drak"
"""
    with pytest.raises(InputError) as error:
        parse_recipe(text, "my.toml")
    told = [part.split(": ", 2) for part in str(error.value).removeprefix("my.toml: ").split("; line ")]
    assert [(int(line.removeprefix("line ")), key) for line, key, _ in told] == [
        (5, "figures 1 prest"),
        (8, "figures 2 output"),
        (9, "figures 2 size"),
        (14, "look title"),
        (17, "look gain"),
        (18, "look theme"),
    ]
    assert "did you mean preset" in told[0][2] and "did you mean dark?" in told[5][2]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("schema = 2\n", "its schema is newer than the one that this Innerwalk reads, 1; update it"),
        ("schema = 0x" + "f" * 5000, "its schema is newer"),
        (NETWORK + "crop = 0x" + "f" * 400, "a number above 0, up to 1 is needed"),
        (NETWORK + "arguments = {a = 0x" + "f" * 400 + "}", "a table such as"),
        (NETWORK + "arguments = {a = [[[[[[1]]]]]]}", "a table such as"),
        (NETWORK + 'weights_sha256 = "' + "0" * 64 + '"', "it belongs to weights, which is missing"),
        (NETWORK + FIGURE + '[[figures]]\noutput = "a.png/b.png"\n', "the output of two figures, or a folder of one"),
        (NETWORK + FIGURE + '[[figures]]\noutput = "./a.png"\n', "the output of two figures"),
        (NETWORK + '[[figures]]\noutput = "' + "a/" * 90 + 'b.png"\n', "a file under the output folder is needed"),
        ("".join(f"k{k} = 1\n" for k in range(20_000)), "and 92 more"),
        ("schema = 1\n", "either recording or \\[network\\] is needed"),
        (NETWORK + 'recording = "x"', "line 4: network recording: no such key"),
        ('schema = 1\nrecording = "x"\n[network]\nmodel = "a"\n', "either recording or"),
        ('schema = 1\nrecording = "x"\n[[inputs]]\nsource = "a"\n', "a recording has its inputs"),
        ("schema = 1\nnetwork = 3\n", "write it as a table, \\[network\\]"),
        (NETWORK + "[figures]\n", "write it as tables, \\[\\[figures\\]\\]"),
        (NETWORK + "[[figures]]\n", 'line 4: figures 1: output is missing, such as output = "overview.png"'),
        (NETWORK + FIGURE * 2, "line 7: figures 2 output: a.png is the output of two figures"),
        (
            NETWORK + "size = [true, 1]\n",
            r"\[224, 224\], each entry a whole number from 1 to 65536, is needed",
        ),
        (NETWORK + "crop = nan\n", "a number above 0, up to 1 is needed"),
        (NETWORK + 'weights_sha256 = "a"\n', "64 digits"),
        ("a = ", "not TOML"),
        ("a = " + "[" * 5000, "not TOML"),
        ("a." * 3000 + "b = 1", "line 1: more than 64 points"),
        ("a = " + "9" * 5000, "not TOML"),
    ],
)
def test_what_is_wrong_is_one_line(text, says):
    with pytest.raises(InputError, match=says) as error:
        parse_recipe(text)
    assert "\n" not in str(error.value) and len(str(error.value)) <= 1000


@pytest.mark.parametrize(
    "output", ["../a.png", "/a.png", "a/../../b.png", "C:\\a.png", "\\\\host\\a.png", "a\\..\\..\\b.png"]
)
def test_no_picture_leaves_the_output_folder(output):
    with pytest.raises(InputError, match="a file under the output folder"):
        parse_recipe(NETWORK + f"[[figures]]\noutput = '{output}'\n")


def test_lines_of_keys():
    text = 'a.b = 1\n# [c]\n[c."d ] e"]\nf = """\ng = 1\n"""\n[[h]]\n[[h]]\ni = [ # ]\n 1]\nj = {k = 1}\n[h.l]\nm = 1\n'
    assert find_key_lines(text) == {
        ("a",): 1,
        ("a", "b"): 1,
        ("c", "d ] e"): 3,
        ("c", "d ] e", "f"): 4,
        ("h", 0): 7,
        ("h", 1): 8,
        ("h", 1, "i"): 9,
        ("h", 1, "j"): 11,
        ("h", 1, "l"): 12,
        ("h", 1, "l", "m"): 13,
    }


def test_the_schema_describes_every_key():
    schema = json_schema()
    assert schema["properties"]["figures"]["items"]["required"] == ["output"]
    assert all("description" in found for found in schema["properties"]["network"]["properties"].values())


def test_a_file_on_another_drive_is_named_by_its_whole_path(monkeypatch):
    def relate(file, folder):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    assert path_between(Path("/a/b"), Path("/a/c/hall.blend")) == "../c/hall.blend"
    monkeypatch.setattr(os.path, "relpath", relate)
    assert path_between(Path("/a/b"), Path("/d/hall.blend")) == "/d/hall.blend"


FILM = 'schema = 1\nrecording = "x"\n[film]\noutput = "film.mp4"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FILM + "rate = 1e-300\n", "film rate: a number above 0.5, up to 240 is needed"),
        (FILM.replace("film.mp4", "."), "film output: a file under the output folder is needed"),
        (FILM, "line 3: film: a film has shots"),
        (FILM + "shots = []", "line 5: film shots: no such key"),
        (NETWORK + '[[shots]]\nkind = "tour"\n', r"shots: shots belong to a film: add \[film\]"),
        (FILM + '[[shots]]\nkind = "tuor"\n', "line 6: shots 1 kind: .*did you mean tour"),
        (
            FILM + '[[shots]]\nkind = "tour"\nspeed = 3.5\n',
            "line 7: shots 1 speed: a number above 0.05, up to 3 is needed",
        ),
        (
            FILM + '[[shots]]\nkind = "tour"\nlayer = "fc"\n',
            "layer: it belongs to orbit and dolly and follow and series",
        ),
        (FILM + '[[shots]]\nkind = "follow"\n', "line 5: shots 1: follow needs layer, such as layer ="),
        (FILM + '[[shots]]\nkind = "split"\n', "split needs beside"),
        (
            FILM + 'panorama = true\n[[shots]]\nkind = "split"\nbeside = "a"\n',
            "shots 1 kind: a 360° film is all around one hall",
        ),
        (FILM + 'rate = 0.01\n[[shots]]\nkind = "tour"\n', "film rate: a number above 0.5"),
        (FILM.replace("film.mp4", "film.avi") + '[[shots]]\nkind = "tour"\n', "line 4: film output: a file under"),
        (FILM.replace("film.mp4", "../f.mp4") + '[[shots]]\nkind = "tour"\n', "film output: a file under"),
        (FILM + '[[shots]]\nkind = "tour"\n[[figures]]\noutput = "film.mp4"\n', "the output of a figure too"),
        (
            FILM + '[[shots]]\nkind = "tour"\n[[figures]]\noutput = "film_poster.png"\n',
            "film_poster.png is .* figure too",
        ),
        (
            FILM + '[[shots]]\nkind = "tour"\n[[figures]]\noutput = "film_frames/1.png"\n',
            "film_frames is .* figure too",
        ),
    ],
)
def test_what_is_wrong_with_a_film_is_told(text, says):
    with pytest.raises(InputError, match=says):
        parse_recipe(text)


@pytest.mark.parametrize(
    "path", [*ROOT.glob("scenes/*.toml"), *ROOT.glob("scenes/films/*.toml")], ids=lambda path: path.stem
)
def test_shipped_recipes_are_right(path):
    recipe = read_recipe(path)
    assert recipe.figures or recipe.film
    if recipe.film and path.stem != "flythrough":
        assert Path(recipe.film["output"]).stem == path.stem
    if recipe.network.get("model") == "object" and recipe.film:
        recording = load(OBJECT_RECORDING)
        layers, links = shown_graph(recording.network, ())
        hall = FilmHall(lay_out(layers, links), layers, tuple(links), recording, positions=9)
        entries = [ShotOptions(entry.kind, **entry.options) for entry in recipe.shots]
        film = plan_film(hall, entries, Film((), size=(960, 540)))
        assert 5 * film.rate < film.frame_count <= 75 * film.rate
