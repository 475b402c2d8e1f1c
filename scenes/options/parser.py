"""Options of the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...blender_addon.imaging import colour_maps
from ...blender_addon.layout.camera_presets import OWN_CAMERA, PRESETS
from ...blender_addon.pages.page_options import COLUMNS, NORMALISATIONS, PAGE_PRESETS
from ...blender_addon.recipes.fields import ENGINES
from ...torch_bridge.server.arguments import EXAMPLES as SERVE_EXAMPLES
from ...torch_bridge.server.arguments import (
    Parser,
    add_serve_arguments,
    add_trust_argument,
)
from ...torch_bridge.version import VERSION
from ..film_files.film_arguments import FARM_EXAMPLES, add_farm, add_film_job
from ..series_command import EXAMPLES as SERIES_EXAMPLES
from ..series_command import add_series
from ..study_command import STUDY_EXAMPLES, add_study
from ..unit_names.names_command import EXAMPLES as NAMES_EXAMPLES
from ..unit_names.names_command import add_names
from ..window.window_commands import OPEN_EXAMPLES, SHOW_EXAMPLES, add_open, add_show
from .argument_values import (
    channels,
    page_width,
    place,
    position,
    size,
)
from .compare_arguments import COMPARE_EXAMPLES, add_compare
from .dissect_arguments import DISSECT_EXAMPLES, add_dissect
from .gan_arguments import GAN_EXAMPLES, add_gan_dissect
from .model_arguments import add_grid, add_input, add_model, add_question
from .stroke_argument import stroke

THEMES = tuple(colour_maps.THEMES)
MAPS = tuple(colour_maps.COLOUR_MAPS)
Formatter = argparse.RawDescriptionHelpFormatter

RECORD_EXAMPLES = """\
MODEL is one of
  object, pair, toybox        the small networks that come with innerwalk, trained; generator draws pictures
  resnet50                    a torchvision name; --weights DEFAULT downloads trained weights
  mypackage.nets:build        a function (or class) that returns the model; --arguments '{"depth": 4}'
  exported.pt2                a program saved by torch.export; it runs code from the file, so --trust is needed

examples
  innerwalk record object -o cat
  innerwalk record squeezenet1_0 --weights squeezenet.safetensors --image parrot.jpg -o parrot
  innerwalk record mypackage.nets:build --weights my.pt --classes names.json --image a.png --size 64 -o mine
  innerwalk record resnet50 --input noise:7 --layers 'layer3.*' -o part
  innerwalk record my.nets:bert --input 'text:[CLS] a cat [SEP]' --vocabulary vocab.txt --keyword mask=mask.npy -o words
"""
ASK_EXAMPLES = """\
`innerwalk methods` lists the methods and their parameters; MODEL is the same as for record.

examples
  innerwalk ask object occlusion --layers stage3.1:add --pictures out
  innerwalk ask object average --layers panels --set count=200 -o average
  innerwalk ask squeezenet1_0 weights --weights squeezenet.safetensors --layers features.0 --channels 0,3,8-15
  innerwalk figure average --method average -o average.png
"""
SCENE_EXAMPLES = """\
example
  innerwalk scene parrot -o hall.blend
"""
FIGURE_EXAMPLES = """\
examples
  innerwalk figure parrot -o overview.png
  innerwalk figure parrot -o layer.png --preset layer --layer layer3.0.conv2 --size 1600x1200
  innerwalk figure hall.blend -o paper.png --theme paper --transparent
  innerwalk figure hall.blend -o mine.png --preset camera
  innerwalk figure parrot -o plate.pdf --preset plate --width single
  innerwalk figure parrot -o sheet.svg --preset grid --layer features.0
"""
RENDER_EXAMPLES = """\
A recipe is a TOML file: a recording, or a network with its inputs, and the figures and film to make.

examples
  innerwalk recipe parrot -o parrot.toml
  innerwalk render parrot.toml -o figures
  innerwalk render parrot.toml -o figures --check
  innerwalk render walk.toml -o out --workers 4
"""
RECIPE_EXAMPLES = """\
examples
  innerwalk recipe parrot -o parrot.toml
  innerwalk recipe --schema > recipe.schema.json
"""


def parser() -> argparse.ArgumentParser:
    """Builds the parser of the whole command line."""
    common = Parser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    common.add_argument("--progress", action="store_true", help="draw the bar even when the output is not a terminal")
    top = Parser(prog="innerwalk", description="Walk into a PyTorch network.", formatter_class=Formatter)
    top.add_argument("--version", action="version", version=f"innerwalk {VERSION}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, examples: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text, epilog=examples, formatter_class=Formatter, parents=[common]
        )

    add_record(command("record", "run a model once and record every layer", RECORD_EXAMPLES))
    series = command(
        "series", "record frames of a video, pictures, noise levels or checkpoints as one series", SERIES_EXAMPLES
    )
    add_series(series)
    add_model(series)
    add_grid(add_input(series))
    add_ask(command("ask", "run a method on layers or channels of a model and show its result", ASK_EXAMPLES))
    add_dissect(command("dissect", "find which concepts the units of a model detect", DISSECT_EXAMPLES))
    add_gan_dissect(command("gan_dissect", "find what the units of a generator paint, and cause", GAN_EXAMPLES))
    add_names(command("names", "show what people have named the units of a network", NAMES_EXAMPLES))
    add_show(command("show", "run a model once and open Blender in its hall", SHOW_EXAMPLES))
    add_open(command("open", "open Blender in the hall of a recording, a series or a Blender file", OPEN_EXAMPLES))
    add_compare(command("compare", "compare networks, or the checkpoints of one, layer by layer", COMPARE_EXAMPLES))
    add_study(command("study", "train a network in three ways and compare what is in it", STUDY_EXAMPLES))
    add_scene(command("scene", "build the hall of a recording as a Blender file", SCENE_EXAMPLES))
    add_figure(command("figure", "render a picture of a recording, or of a hall in a Blender file", FIGURE_EXAMPLES))
    add_render(command("render", "make the figures and the film of a recipe", RENDER_EXAMPLES))
    add_farm(command("farm", "print a job that renders a recipe's film on several machines", FARM_EXAMPLES))
    add_recipe(command("recipe", "write a recipe for a recording, to be changed in an editor", RECIPE_EXAMPLES))
    add_serve_arguments(command("serve", "keep networks loaded for Blender and scripts, until Ctrl-C", SERVE_EXAMPLES))
    command("methods", "list the methods and their parameters")
    command("doctor", "check what this machine can run, and how to fix what it can't")
    demo = command("demo", "record, build and render a small trained network")
    demo.add_argument("-o", "--output", type=place, default=Path("out"), metavar="FOLDER", help="output folder (out)")
    return top


def add_record(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `record`; their names are fields of RecordSpec."""
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="NAME", help="folder of the recording")
    add_overwrite(sub)
    add_model(sub)
    add_input(sub)
    recorded = sub.add_argument_group("what is recorded")
    recorded.add_argument(
        "--layers", action="append", metavar="GLOB", help="layers to record, such as 'layer3.*', or panels (all)"
    )
    recorded.add_argument(
        "--half", action="store_true", help="store maps as float16: half of the size, values off by at most 0.05 %%"
    )
    recorded.add_argument("--kernels", action="store_true", help="record the kernels of convolutions too")
    recorded.add_argument(
        "--stroke",
        dest="strokes",
        action="append",
        type=stroke,
        metavar="insert:LAYER:0,5@X,Y,SIZE",
        help="give channels the value that they have where active, or with ablate: 0, at a place of the picture",
    )
    add_grid(recorded)
    recorded.add_argument(
        "--position",
        dest="positions",
        action="append",
        type=position,
        metavar="LAYER:N",
        help="which frame, window or node of the input a layer shows, where it has several (0); repeat for more layers",
    )


def add_overwrite(sub: argparse.ArgumentParser) -> None:
    """Adds the flag that lets a recording replace any file."""
    sub.add_argument(
        "--overwrite", action="store_true", help="replace a recording.json that is no recording, or is read-only"
    )


def add_ask(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `ask`: the method with its parameters, then model and input as in `record`."""
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("method", metavar="METHOD")
    sub.add_argument("-o", "--output", type=place, metavar="NAME", help="folder of a recording of layers and maps")
    add_overwrite(sub)
    sub.add_argument("--pictures", type=place, metavar="FOLDER", help="a new folder: each channel as a PNG file")
    method = sub.add_argument_group("the method")
    method.add_argument("--layers", action="append", metavar="GLOB", help="layer ids, globs or panels (panels)")
    add_question(method)
    method.add_argument("--device", default="", metavar="D", help="cuda, mps or cpu (the fastest available)")
    add_model(sub)
    add_grid(add_input(sub))


def add_scene(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `scene`."""
    sub.add_argument("recording", type=Path, metavar="RECORDING")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="FILE.blend")
    add_look(sub)


def add_figure(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `figure`."""
    sub.add_argument("source", type=Path, metavar="RECORDING|FILE.blend")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="FILE.png|.svg|.pdf")
    sub.add_argument(
        "--preset",
        choices=(*PRESETS, OWN_CAMERA, *PAGE_PRESETS),
        help=f"camera position (overview); camera: a hall's scene as you left it; {', '.join(PAGE_PRESETS)}: flat, for "
        "print, without Blender, also as .svg and .pdf",
    )
    sub.add_argument("--layer", metavar="ID", help="layer shown by presets of a single layer")
    sub.add_argument("--scene", metavar="NAME", help="scene of a Blender file with several halls (the first)")
    sub.add_argument("--size", type=size, metavar="WxH", help="picture size in pixels (1920x1080, or the scene's own)")
    sub.add_argument("--samples", type=int, metavar="N", help="samples per pixel (24)")
    sub.add_argument("--engine", choices=ENGINES, help="render engine (innerwalk, or cycles where it can't run)")
    sub.add_argument("--transparent", action="store_true", default=None, help="transparent background")
    flat = sub.add_argument_group("flat figures")
    flat.add_argument(
        "--width",
        type=page_width,
        metavar="85mm",
        help=f"width of the page: mm, cm, in, or {', '.join(f'{name} ({size:g}mm)' for name, size in COLUMNS.items())}",
    )
    flat.add_argument(
        "--channels",
        type=channels,
        metavar="0,3,8-15",
        help="channels of --layer (the strongest); a plate calls them out",
    )
    flat.add_argument(
        "--beside",
        type=Path,
        action="append",
        default=[],
        metavar="RECORDING",
        help="a further recording for a row of a grid, or an overlay; repeat for more",
    )
    flat.add_argument("--dpi", type=int, metavar="N", help="pixels an inch (300)")
    add_look(sub)


def add_render(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `render`."""
    sub.add_argument("recipe", type=Path, metavar="RECIPE.toml")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="FOLDER", help="where figures and film go")
    sub.add_argument(
        "--check", action="store_true", help="compare files with the recipe's hashes, and figures with those in FOLDER"
    )
    add_trust_argument(sub, "let the recipe's network run code: a .pt2 file, functions and folders of modules")
    add_film_job(sub)


def add_recipe(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `recipe`."""
    sub.add_argument("recording", type=Path, nargs="?", metavar="RECORDING|FILE.blend")
    sub.add_argument("-o", "--output", type=place, metavar="RECIPE.toml", help="file to write (printed without it)")
    sub.add_argument("--schema", action="store_true", help="print the JSON schema of recipes instead")


def add_look(sub: argparse.ArgumentParser) -> None:
    """Adds the options for colours, method and collapsed blocks."""
    look = sub.add_argument_group("appearance")
    look.add_argument("--method", metavar="NAME", help="method whose maps the panels show (activations)")
    look.add_argument("--theme", choices=THEMES, help="colour theme (dark; of flat figures paper)")
    look.add_argument("--colour-map", choices=MAPS, help="colour map (the theme's own)")
    look.add_argument(
        "--normalisation",
        choices=NORMALISATIONS,
        help="divide values by the largest of their channel, layer or network (channel)",
    )
    look.add_argument("--gain", type=float, metavar="X", help="factor on all values (1)")
    look.add_argument(
        "--collapse",
        action="append",
        metavar="GLOB",
        help="blocks to show as one panel each, such as 'layer3.*', or all",
    )
    look.add_argument("--title", metavar="TEXT", help="title instead of the network's name")
