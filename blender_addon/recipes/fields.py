"""All that a recipe can state, by section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..films.camera_track import FASTEST, SLOWEST
from ..films.film import JOINS, SHOT_KINDS
from ..imaging.colour_maps import COLOUR_MAPS, THEMES
from ..layout.camera_presets import OWN_CAMERA, PRESETS
from ..pages.page_options import NORMALISATIONS, PAGE_PRESETS, RESOLUTIONS, WIDTHS
from .kinds import ANY_TABLE, FLAG, HASH, TEXT, ValueKind, choice, either, list_of, number, table_of, whole

SCHEMA = 1
"""Version of recipes that this program writes, and the newest that it reads."""
ENGINES = ("innerwalk", "cycles", "eevee")
INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
COLOUR_COUNT = ValueKind(lambda value: type(value) is int and value in (1, 3, 4), "1, 3 or 4", {"enum": [1, 3, 4]})
POINT = list_of(number(), (3,), "[0.0, -4.0, 1.7]")
MAX_LENS = 1e6
MAX_SIDE, MAX_SAMPLES, MAX_SEED = 8192, 4096, (1 << 63) - 1
MIN_RATE, MAX_RATE = 0.5, 240


class RecipeField(NamedTuple):
    """A key of a section."""

    kind: ValueKind
    about: str
    """What it says, for the comment in a written recipe and the JSON schema."""
    example: str
    """A value as TOML."""
    is_needed: bool = False


TOP = {
    "schema": RecipeField(whole(1, SCHEMA), "Version of this format.", "1", True),
    "recording": RecipeField(
        TEXT, "Folder of a recording, or a .blend file with a hall; in place of [network].", '"parrot"'
    ),
    "recording_sha256": RecipeField(
        HASH, "Hash of the recording's recording.json, or of the .blend file.", f'"{"0" * 64}"'
    ),
}
NETWORK = {
    "model": RecipeField(
        TEXT, "object, pair, a torchvision name, package.module:factory or file.pt2.", '"resnet50"', True
    ),
    "arguments": RecipeField(
        ANY_TABLE, "Keyword arguments; numbers but num_classes need --trust.", "{num_classes = 10}"
    ),
    "folder": RecipeField(TEXT, "Where the factory's modules are; needs --trust.", '"mine"'),
    "weights": RecipeField(TEXT, "Weights file; without it, random weights.", '"resnet50.safetensors"'),
    "weights_sha256": RecipeField(HASH, "Hash of the weights file.", f'"{"0" * 64}"'),
    "classes": RecipeField(
        either(TEXT, list_of(TEXT)), "Names of the classes, or a JSON file of them.", '["cat", "dog"]'
    ),
    "vocabulary": RecipeField(TEXT, "Words that the network knows, for inputs text:….", '"words.txt"'),
    "size": RecipeField(list_of(whole(1, 1 << 16), (2,), "[224, 224]"), "Height and width of the input.", "[224, 224]"),
    "crop": RecipeField(number(0, 1), "Share of a picture that the central crop keeps.", "0.875"),
    "mean": RecipeField(list_of(number(), (1, 3, 4), "[0.5]"), "Mean of each colour that is subtracted.", "[0.5]"),
    "std": RecipeField(list_of(number(0), (1, 3, 4), "[0.5]"), "What each colour is divided by.", "[0.5]"),
    "colours": RecipeField(COLOUR_COUNT, "Colours of the input: 1 grey, 3 RGB, 4 RGBA.", "3"),
    "interpolation": RecipeField(choice(INTERPOLATIONS), "How pictures are resized.", '"bilinear"'),
    "window": RecipeField(list_of(number(), (2,), "[0, 4095]"), "Greys that are black and white.", "[0, 4095]"),
    "stretch": RecipeField(FLAG, "Whether pictures are stretched to the size, not cropped.", "false"),
    "index": RecipeField(whole(), "Sample of a batch.", "0"),
    "grid": RecipeField(list_of(whole(1), (2,), "[14, 14]"), "Rows and columns of tokens.", "[14, 14]"),
    "positions": RecipeField(
        table_of(whole(), '{"layers.0" = 2}'), "Which frame or window a layer shows.", '{"layers.0" = 2}'
    ),
    "seed": RecipeField(whole(0, MAX_SEED), "Seed of random weights and noise.", "0"),
    "ablate": RecipeField(
        table_of(list_of(whole()), "{layer1 = [0, 5]}"), "Channels that become 0.", "{layer1 = [0, 5]}"
    ),
    "layers": RecipeField(
        list_of(TEXT, (), '["layer3.*"]'), "Layers that are recorded; all by default.", '["layer3.*"]'
    ),
    "name": RecipeField(TEXT, "Name of the network on its title board.", '"mine"'),
}
INPUTS = {
    "source": RecipeField(
        TEXT, "A picture, tensor or sound file, ids:1,2, text:some words or noise:SEED.", '"parrot.jpg"', True
    ),
    "argument": RecipeField(TEXT, "Argument of forward; without it, inputs are in order.", '"pixel_values"'),
    "sha256": RecipeField(HASH, "Hash of the file.", f'"{"0" * 64}"'),
}
COLOURS = {
    "theme": RecipeField(choice(tuple(THEMES)), "Colours of the hall.", '"dark"'),
    "colour_map": RecipeField(choice(tuple(COLOUR_MAPS)), "Colours of values.", '"signed"'),
    "normalisation": RecipeField(choice(NORMALISATIONS), "What values are divided by.", '"channel"'),
    "gain": RecipeField(number(0), "Factor before values are coloured.", "1.0"),
    "title": RecipeField(TEXT, "Title in place of the network's name.", '"A parrot"'),
    "collapse": RecipeField(list_of(TEXT, (), '["layer3.*"]'), "Blocks that are one panel each.", '["layer3.*"]'),
}
MATRIX = list_of(number(), (16,), "16 numbers, the rows of a 4×4 matrix")
LOOK = COLOURS | {
    "moved": RecipeField(
        table_of(MATRIX, "{fc = [16 numbers, the rows of a 4×4 matrix]}"),
        "Where moved panels stand relative to their planned place.",
        "{fc = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]}",
    ),
}
FIGURES = {
    "output": RecipeField(
        TEXT, "File under the output folder: .png, of flat figures also .svg and .pdf.", '"overview.png"', True
    ),
    "preset": RecipeField(
        choice((*PRESETS, OWN_CAMERA, *PAGE_PRESETS)), "What it shows, and from where.", '"overview"'
    ),
    "size": RecipeField(
        list_of(whole(1, MAX_SIDE), (2,), "[1920, 1080]"), "Width and height in pixels.", "[1920, 1080]"
    ),
    "samples": RecipeField(whole(1, MAX_SAMPLES), "Samples a pixel.", "32"),
    "engine": RecipeField(choice(ENGINES), "What draws it.", '"innerwalk"'),
    "transparent": RecipeField(FLAG, "Whether the background is transparent.", "false"),
    "scene": RecipeField(TEXT, "Scene of a .blend file with several halls; the first by default.", '"hall"'),
    "layer": RecipeField(TEXT, "Layer of presets that show one.", '"layer3.0.conv2"'),
    "eye": RecipeField(POINT, "Point from which preset camera looks, in metres.", "[0.0, -4.0, 1.7]"),
    "target": RecipeField(POINT, "Point that it looks at.", "[0.0, 6.0, 1.7]"),
    "lens": RecipeField(number(0, MAX_LENS), "Focal length in mm, for a sensor 36 mm wide.", "20.0"),
    "span": RecipeField(number(0, MAX_LENS), "Width in metres of an orthographic picture.", "30.0"),
    "width": RecipeField(number(0, WIDTHS[1]), "Width of a flat figure's page in mm.", "85.0"),
    "dpi": RecipeField(whole(*RESOLUTIONS), "Pixels an inch of a flat figure.", "300"),
    "beside": RecipeField(list_of(TEXT), "Recordings that a grid or overlay shows too.", '["owl"]'),
    "method": RecipeField(TEXT, "Method whose maps are shown; activations by default.", '"grad_cam"'),
    "layers": RecipeField(
        list_of(TEXT, (), '["layer4*"]'), "Layers the method is asked about; panels by default.", '["layer4*"]'
    ),
    "channels": RecipeField(
        list_of(whole()), "Channels that the method is asked about, or that a flat figure shows.", "[0, 5]"
    ),
    "parameters": RecipeField(ANY_TABLE, "Parameters of the method.", "{of_class = 17}"),
    "data": RecipeField(TEXT, "Data set of the method: a folder, a .zip or concepts:object.", '"photos"'),
    **COLOURS,
}
FILM = {
    "output": RecipeField(
        TEXT, "File under the output folder: .mp4, .mov, .webm, .gif …, or a folder of PNG files.", '"film.mp4"', True
    ),
    "size": RecipeField(
        list_of(whole(2, MAX_SIDE), (2,), "[1920, 1080]"), "Width and height in pixels.", "[1920, 1080]"
    ),
    "rate": RecipeField(number(MIN_RATE, MAX_RATE), "Frames a second.", "30"),
    "passes": RecipeField(whole(1, MAX_SAMPLES), "Samples a pixel.", "16"),
    "transparent": RecipeField(FLAG, "Whether the background is transparent.", "false"),
    "progress": RecipeField(FLAG, "Whether a line says how far the film is.", "true"),
    "panorama": RecipeField(FLAG, "Whether it is a 360° film for two eyes, square, .mp4; slow.", "false"),
    "poster": RecipeField(whole(1), "Frame that is saved as a picture beside the film.", "1"),
    "dissolve": RecipeField(number(0, 5), "Seconds of a dissolve.", "0.6"),
    **COLOURS,
}
SHOTS = {
    "kind": RecipeField(choice(SHOT_KINDS), "How the camera moves.", '"tour"', True),
    "seconds": RecipeField(number(0, 3600), "Duration; by default what the way takes.", "12.0"),
    "speed": RecipeField(number(SLOWEST, FASTEST), "Greatest speed, m/s.", "1.4"),
    "layer": RecipeField(
        TEXT, "Layer that it goes to; of dolly and series, without it, the answer.", '"layer3.0.conv2"'
    ),
    "channel": RecipeField(whole(), "Channel that dolly and follow go into.", "5"),
    "title": RecipeField(TEXT, "Large words.", '"ResNet-50"'),
    "caption": RecipeField(TEXT, "Small words.", '"50 layers, one photograph"'),
    "join": RecipeField(choice(JOINS), "How it follows the shot before.", '"dissolve"'),
    "beside": RecipeField(TEXT, "On the right: of a split shot, a recording; of camera, a .blend file.", '"owl"'),
    "pictures": RecipeField(
        list_of(TEXT, (), '["made"]'), "Recordings with pictures of the channel that is followed.", '["made"]'
    ),
    "first": RecipeField(whole(), "Entry that a series begins with.", "0"),
    "last": RecipeField(whole(), "Entry that a series ends with.", "59"),
}
SECTIONS: Mapping[str, Mapping[str, RecipeField]] = {
    "": TOP, "network": NETWORK, "inputs": INPUTS, "look": LOOK, "figures": FIGURES, "film": FILM,
    "shots": SHOTS,
}  # fmt: skip
"""Fields by section: "" is the beginning of the file."""
REPEATED = ("inputs", "figures", "shots")
"""Sections that are lists of tables."""
