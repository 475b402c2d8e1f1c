"""What can be said on the command line, and how it is read. No work is done here."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, NoReturn

from ..blender_addon.imaging import colour
from ..blender_addon.layout.camera_presets import PRESETS
from ..torch_bridge.server.arguments import EXAMPLES as SERVE_EXAMPLES
from ..torch_bridge.server.arguments import add_serve, named

ENGINES = ("cycles", "eevee")
THEMES = tuple(colour.THEMES)
MAPS = tuple(colour.RAMPS)
NORMALISATIONS = ("channel", "layer", "network")
DIGITS = 6
"""Of a channel's number: no layer has so many."""
Formatter = argparse.RawDescriptionHelpFormatter

RECORD_EXAMPLES = """\
MODEL is one of
  object, pair                the small networks that come with innerwalk, trained
  resnet50                    a torchvision name; --weights DEFAULT downloads trained weights
  mypackage.nets:build        a function (or class) that returns the model; --arguments '{"depth": 4}'
  exported.pt2                a program saved by torch.export

examples
  innerwalk record object -o cat
  innerwalk record squeezenet1_0 --weights squeezenet.safetensors --image parrot.jpg -o parrot
  innerwalk record mypackage.nets:build --weights my.pt --classes names.json --image a.png --size 64 -o mine
  innerwalk record resnet50 --input noise:7 --layers 'layer3.*' -o part
"""
ASK_EXAMPLES = """\
`innerwalk methods` lists the methods and their parameters; MODEL is said as for record.

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
"""


class Parser(argparse.ArgumentParser):
    """One line for an error, as everywhere else in innerwalk."""

    def error(self, message: str) -> NoReturn:
        """Print the line and leave with status 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def size(text: str) -> tuple[int, int]:
    """ "1920x1080" or "224" -> (width, height)."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; 1920x1080 (width x height) or 224 would be")
    return int(sides[0]), int(sides[-1])


def numbers(text: str) -> tuple[float, ...]:
    """ "0.5,0.5,0.5" -> (0.5, 0.5, 0.5)."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers; 0.485,0.456,0.406 would be") from None


def channels(text: str) -> tuple[int, ...]:
    """ "0,3,8-11" -> (0, 3, 8, 9, 10, 11)."""
    found: list[int] = []
    for part in text.split(","):
        first, sign, last = part.strip().partition("-")
        last = last if sign else first
        if not (first.isdecimal() and last.isdecimal()):
            raise argparse.ArgumentTypeError(f"{text!r} is no list of channels; 0,3,8-15 would be")
        if max(len(first), len(last)) > DIGITS:
            raise argparse.ArgumentTypeError(f"{part.strip()[:40]!r}: no layer has a channel above {10**DIGITS - 1:,}")
        if int(first) > int(last):
            raise argparse.ArgumentTypeError(f"{part.strip()!r} goes backwards; {last}-{first} would not")
        found += range(int(first), int(last) + 1)
    return tuple(found)


def ablated(text: str) -> tuple[str, tuple[int, ...]]:
    """ "layer1.0:add:0,5" -> ("layer1.0:add", (0, 5))."""
    layer, _, numbers = text.rpartition(":")
    if not layer:
        raise argparse.ArgumentTypeError(f"{text!r} names no layer; conv1:0,5,7 would")
    return layer, channels(numbers)


def setting(text: str) -> tuple[str, str]:
    """ "seed=3" -> ("seed", "3")."""
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError(f"{text!r} sets nothing; seed=3 would")
    return name, value


def where(text: str) -> tuple[str, str]:
    """ "birds=pictures/birds" or "pictures/birds" -> (name, place)."""
    return named(text) if "=" in text else (Path(text).stem, text)


def keywords(text: str) -> dict[str, Any]:
    """A JSON object -> keyword arguments."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError(f"""{text!r} is no JSON object; '{{"depth": 4}}' would be""")
    return value


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    common = Parser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    common.add_argument("--progress", action="store_true", help="show progress where the output is no terminal, too")
    top = Parser(prog="innerwalk", description="Walk into a PyTorch network.", formatter_class=Formatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, examples: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text, epilog=examples, formatter_class=Formatter, parents=[common]
        )

    add_record(command("record", "run a model once and write down what every layer did", RECORD_EXAMPLES))
    add_ask(command("ask", "ask a method about channels of a model, and show what it says", ASK_EXAMPLES))
    add_scene(command("scene", "build the hall of a recording as a Blender file", SCENE_EXAMPLES))
    add_figure(command("figure", "render a picture of a recording, or of a hall in a Blender file", FIGURE_EXAMPLES))
    add_serve(command("serve", "keep networks loaded for Blender or scripts to ask, until Ctrl-C", SERVE_EXAMPLES))
    command("methods", "list what can be asked about the layers of a network that is served, with its parameters")
    command("doctor", "say what this machine can do, and how to mend what it can't")
    demo = command("demo", "a trained network on an image, as a picture and as a Blender file")
    demo.add_argument("-o", "--output", type=Path, default=Path("out"), metavar="FOLDER", help="where to (out)")
    return top


def add_record(sub: argparse.ArgumentParser) -> None:
    """The arguments of `record`; their names are those of `RecordSpec`."""
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="NAME", help="folder of the recording")
    add_model(sub)
    add_input(sub, "--channels")
    kept = sub.add_argument_group("what is kept")
    kept.add_argument(
        "--layers", action="append", metavar="GLOB", help="only these, such as 'layer3.*', or panels (all)"
    )
    kept.add_argument("--kernels", dest="weights_maps", action="store_true", help="the weights of convolutions, too")
    add_grid(kept)


def add_ask(sub: argparse.ArgumentParser) -> None:
    """The arguments of `ask`: those of a question, and of `record` what tells of model and input."""
    sub.add_argument("model", metavar="MODEL")
    sub.add_argument("method", metavar="METHOD")
    sub.add_argument("-o", "--output", type=Path, metavar="NAME", help="folder of a recording of layers and maps")
    sub.add_argument("--pictures", type=Path, metavar="FOLDER", help="a new folder: each channel as a PNG file")
    asked = sub.add_argument_group("what is asked")
    asked.add_argument(
        "--layers", dest="about", action="append", metavar="GLOB", help="ids, globs or panels (panels, which are all)"
    )
    asked.add_argument(
        "--channels", dest="asked", type=channels, default=(), metavar="0,3,8-15", help="of these layers (all)"
    )
    asked.add_argument(
        "--set", dest="settings", type=setting, action="append", default=[], metavar="NAME=VALUE",
        help="a parameter of the method",
    )  # fmt: skip
    asked.add_argument(
        "--data", type=where, metavar="[NAME=]WHERE", help="a folder of pictures, a .zip, idx files or concepts:object"
    )
    asked.add_argument("--device", default="", metavar="D", help="cuda, mps or cpu (the best there is)")
    add_model(sub)
    add_grid(add_input(sub, "--colours"))


def add_model(sub: argparse.ArgumentParser) -> None:
    """What is said of the model besides its name."""
    model = sub.add_argument_group("the model")
    model.add_argument("--arguments", type=keywords, default={}, metavar="JSON", help="keyword arguments of MODEL")
    model.add_argument(
        "--weights", metavar="FILE", help=".safetensors, a checkpoint, or DEFAULT to download; else random"
    )
    model.add_argument("--classes", metavar="FILE", help="JSON: a list of class names, or index -> name")
    model.add_argument(
        "--ablate", type=ablated, action="append", metavar="LAYER:0,5,7",
        help="channels that are 0 from the moment their layer has finished",
    )  # fmt: skip
    model.add_argument("--name", metavar="TEXT", help="the name on the title board")
    model.add_argument("--seed", type=int, default=0, metavar="N", help="of random weights (0)")


def add_input(sub: argparse.ArgumentParser, colours: str) -> argparse._ArgumentGroup:
    """What is said of the input. colours: what the number of the picture's channels is called."""
    what = sub.add_argument_group("the input; more than one where the model takes several")
    what.add_argument("--image", dest="inputs", action="append", metavar="FILE", help="a picture")
    what.add_argument(
        "--input", dest="inputs", action="append", metavar="WHAT", help="a picture, a .npy file or noise:SEED"
    )
    what.add_argument("--size", type=size, metavar="WxH", help="pixels that the network gets")
    what.add_argument("--crop", type=float, metavar="SHARE", help="of the picture's middle that is kept, 0..1")
    what.add_argument(
        "--stretch",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="scale both sides on their own, or keep the picture's aspect",
    )
    what.add_argument("--mean", type=numbers, metavar="R,G,B", help="subtracted, of values 0..1")
    what.add_argument("--std", type=numbers, metavar="R,G,B", help="divided by")
    what.add_argument(colours, dest="channels", type=int, choices=(1, 3, 4), help="grey, RGB, RGBA")
    what.add_argument("--interpolation", metavar="HOW", help="nearest, bilinear, bicubic, lanczos, box, hamming")
    what.add_argument("--index", type=int, default=0, metavar="N", help="which sample of a batch (0)")
    return what


def add_grid(group: argparse._ArgumentGroup) -> None:
    """How tokens lie."""
    group.add_argument(
        "--grid", type=size, metavar="WxH", help="columns x rows of tokens, where they can't be inferred"
    )


def add_scene(sub: argparse.ArgumentParser) -> None:
    """The arguments of `scene`."""
    sub.add_argument("recording", type=Path, metavar="RECORDING")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.blend")
    add_look(sub)


def add_figure(sub: argparse.ArgumentParser) -> None:
    """The arguments of `figure`."""
    sub.add_argument("source", type=Path, metavar="RECORDING|FILE.blend")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.png")
    sub.add_argument("--preset", choices=PRESETS, help="where the camera stands (overview)")
    sub.add_argument("--layer", metavar="ID", help="the layer that the preset layer, tile or walk shows")
    sub.add_argument("--scene", metavar="NAME", help="which hall of a Blender file that has several (the first)")
    sub.add_argument("--size", type=size, metavar="WxH", help="pixels (1920x1080)")
    sub.add_argument("--samples", type=int, metavar="N", help="a pixel (24)")
    sub.add_argument("--engine", choices=ENGINES, help="cycles")
    sub.add_argument("--transparent", action="store_true", default=None, help="no background")
    add_look(sub)


def add_look(sub: argparse.ArgumentParser) -> None:
    """How values become colours, and what is folded away."""
    look = sub.add_argument_group("the look")
    look.add_argument("--method", metavar="NAME", help="whose maps the panels show (activations)")
    look.add_argument("--theme", choices=THEMES, help="dark")
    look.add_argument("--map", dest="ramp", choices=MAPS, help="colour map (that of the theme)")
    look.add_argument(
        "--normalisation",
        choices=NORMALISATIONS,
        help="a value's share of its channel's largest value (channel), or of its layer's, or of the network's",
    )
    look.add_argument("--gain", type=float, metavar="X", help="multiplies the values (1)")
    look.add_argument(
        "--collapse",
        action="append",
        metavar="GLOB",
        help="blocks that stand as one panel each, such as 'layer3.*', or all of them (all)",
    )
    look.add_argument("--title", metavar="TEXT", help="instead of the network's name")
