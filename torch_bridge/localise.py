"""Measures boxes from class activation maps on a data set with true boxes, or follows an object through a video.

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
from .method_support.box_drawing import FOUND_COLOUR, draw_boxes
from .method_support.object_finder import THRESHOLD, FrameDetection, ObjectFinder
from .models.device import choose_device
from .recording.errors import InnerwalkError
from .server.config import serve_config
from .server.in_process import denormals_restored
from .server.loaded_model import LoadedModel
from .server.priority_lock import PriorityLock
from .video import open_video

EXPECTED_ERROR = 2
"""Exit status after an InnerwalkError."""


def build_finder(model: str, threshold: float = THRESHOLD, device: str = "") -> ObjectFinder:
    """Load a network, named as for `innerwalk serve`: "object" or "resnet50=weights.pt". Raises InnerwalkError."""
    [(name, spec)] = serve_config([model]).networks.items()
    loaded = LoadedModel(name, spec, choose_device(device), PriorityLock())
    with denormals_restored():
        loaded.record(loaded.read(loaded.default_sources), (), lambda maps: None)
    return ObjectFinder(loaded.method_context(loaded.run_context, (), None, ()), threshold)


def measure_accuracy(
    finder: ObjectFinder, data: str = "concepts:object", count: int = 500, seed: int = 0
) -> BoxAccuracy:
    """Compare found and true boxes on `count` random images of a data set. Raises InputError if it has no boxes."""
    data_set = open_data(data)
    return BoxAccuracy(
        tuple(evaluate_picture(finder, data_set, index) for index in random_indices(data_set, count, seed)),
        data_set.classes,
    )


def follow_video(finder: ObjectFinder, source: str, count: int) -> Iterator[FrameDetection]:
    """Detect the most probable class in each of the first `count` frames of a video. Raises InputError."""
    with closing(open_video(source, loop=False)) as video:
        yield from finder.follow(video, count)


def frame_line(detection: FrameDetection) -> str:
    """A detection in one line: frame number, seconds, class, probability, corners as shares of the network's input."""
    found = detection.detection.class_
    box = " ".join(f"{end:.3f}" for end in detection.detection.box) if detection.detection.box else "nothing found"
    return f"{detection.frame.number:6d}  {detection.frame.seconds:8.2f} s  {found.name} {found.probability:.0%}  {box}"


def draw_detection(finder: ObjectFinder, detection: FrameDetection) -> np.ndarray:
    """The network's input for a frame with the box drawn on it, (H, W, 3) uint8 sRGB."""
    picture = fit_picture(Image.fromarray(detection.frame.picture), finder.context.preprocessing)
    return (draw_boxes(picture, [(detection.detection.box, FOUND_COLOUR)]) * 255 + 0.5).astype(np.uint8)


def main(argv: Sequence[str]) -> int:
    """Print a table of accuracies, or one line for each frame; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m innerwalk.torch_bridge.localise", description=__doc__)
    parser.add_argument("model", metavar="MODEL[=WEIGHTS]")
    parser.add_argument(
        "--data", default="concepts:object", help="a data set with true boxes (default: concepts:object)"
    )
    parser.add_argument("--film", help="a video file or camera:0, instead of a data set")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="folder for the frames with their boxes")
    parser.add_argument("--count", type=int, default=500, help="number of images or frames (default: 500)")
    parser.add_argument(
        "--threshold", type=float, default=THRESHOLD, help=f"share of the map's maximum (default: {THRESHOLD})"
    )
    arguments = parser.parse_args(argv)
    try:
        finder = build_finder(arguments.model, arguments.threshold)
        if arguments.film:
            _follow(finder, arguments.film, arguments.count, arguments.pictures)
        else:
            sys.stdout.write(measure_accuracy(finder, arguments.data, arguments.count).table() + "\n")
    except InnerwalkError as error:
        sys.stderr.write(f"localise: {error}\n")
        return EXPECTED_ERROR
    return 0


def _follow(finder: ObjectFinder, source: str, count: int, folder: Path | None) -> None:
    """Print a line for each frame and save the frames with their boxes if a folder is named."""
    for detection in follow_video(finder, source, count):
        sys.stdout.write(frame_line(detection) + "\n")
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draw_detection(finder, detection)).save(folder / f"{detection.frame.number:06d}.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
