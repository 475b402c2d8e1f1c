"""Score boxes from class activation maps on a data set that knows the true ones, or follow an object through a film.

python -m innerwalk.torch_bridge.localise object --count 500
python -m innerwalk.torch_bridge.localise mobilenet_v2=weights.safetensors --film walk.mp4 --pictures out/walk
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image

from .data import open_data, random_indices
from .inputs.preprocess import fit_picture
from .method_support.box_accuracy import BoxAccuracy, evaluate_picture
from .method_support.object_finder import THRESHOLD, FrameDetection, ObjectFinder
from .methods.localisation_scores import FOUND_COLOUR, draw_boxes
from .models.device import choose_device
from .recording.errors import InnerwalkError
from .server.ask import denormals_restored
from .server.config import serve_config
from .server.loaded_model import LoadedModel
from .server.priority_lock import PriorityLock
from .video import open_video

EXPECTED = 2


def finder_of(model: str, threshold: float = THRESHOLD, device: str = "") -> ObjectFinder:
    """For a network as `innerwalk serve` takes it, such as "object" or "resnet50=weights.pt". Raises InnerwalkError."""
    [(name, spec)] = serve_config([model]).networks.items()
    live = LoadedModel(name, spec, choose_device(device), PriorityLock())
    with denormals_restored():
        live.record(live.read(live.default_sources), (), lambda maps: None)
    return ObjectFinder(live.method_context(live.run_context, (), None, ()), threshold)


def score(finder: ObjectFinder, data: str = "concepts:object", count: int = 500, seed: int = 0) -> BoxAccuracy:
    """Try so many pictures of a data set. Raises InputError where it knows no boxes."""
    opened = open_data(data)
    return BoxAccuracy(tuple(evaluate_picture(finder, opened, index) for index in random_indices(opened, count, seed)), opened.classes)


def follow(finder: ObjectFinder, film: str, count: int) -> Iterator[FrameDetection]:
    """Where the most probable class is in each of the first frames of a film. Raises InputError."""
    with closing(open_video(film, loop=False)) as opened:
        yield from finder.follow(opened, count)


def told(one: FrameDetection) -> str:
    """A frame in one line: number, second, class, probability, corners as shares of what the network gets of it."""
    found = one.place.class_
    box = " ".join(f"{end:.3f}" for end in one.place.box) if one.place.box else "nothing found"
    return f"{one.frame.number:6d}  {one.frame.seconds:8.2f} s  {found.name} {found.probability:.0%}  {box}"


def drawn(finder: ObjectFinder, one: FrameDetection) -> np.ndarray:
    """(H, W, 3) uint8: what the network gets of a frame, with the box."""
    picture = fit_picture(Image.fromarray(one.frame.picture), finder.work.how)
    return (draw_boxes(picture, [(one.place.box, FOUND_COLOUR)]) * 255 + 0.5).astype(np.uint8)


def main(words: Sequence[str]) -> int:
    """Print a table, or a line a frame; the exit status."""
    top = argparse.ArgumentParser(prog="python -m innerwalk.torch_bridge.localise", description=__doc__)
    top.add_argument("model", metavar="MODEL[=WEIGHTS]")
    top.add_argument("--data", default="concepts:object", help="a data set that knows boxes (concepts:object)")
    top.add_argument("--film", help="a video file or camera:0, instead of a data set")
    top.add_argument("--pictures", type=Path, metavar="FOLDER", help="where frames with their boxes are written")
    top.add_argument("--count", type=int, default=500, help="pictures or frames (500)")
    top.add_argument("--threshold", type=float, default=THRESHOLD, help=f"share of the maximum ({THRESHOLD})")
    said = top.parse_args(words)
    try:
        finder = finder_of(said.model, said.threshold)
        if said.film:
            _follow(finder, said.film, said.count, said.pictures)
        else:
            sys.stdout.write(score(finder, said.data, said.count).table() + "\n")
    except InnerwalkError as error:
        sys.stderr.write(f"localise: {error}\n")
        return EXPECTED
    return 0


def _follow(finder: ObjectFinder, film: str, count: int, pictures: Path | None) -> None:
    for one in follow(finder, film, count):
        sys.stdout.write(told(one) + "\n")
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            Image.fromarray(drawn(finder, one)).save(pictures / f"{one.frame.number:06d}.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
