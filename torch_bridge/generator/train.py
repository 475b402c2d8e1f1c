"""Train the generator and the segmenter that ship with the project, seeded; on one core 30 and 6 minutes.

python -m innerwalk.torch_bridge.generator.train segmenter
python -m innerwalk.torch_bridge.generator.train generator
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from ..concepts.concepts_training import to_network_input
from ..concepts.training_progress import TrainingProgress
from ..concepts.training_script import run_script
from ..concepts.vocabulary import SPLITS, VERSION
from ..concepts.weight_files import half_precision_state, write_weights
from ..models.weights import load_weights
from . import WEIGHTS_FOLDER, load, network
from .coded_pictures import CODE_LENGTH, CONCEPT_NAMES
from .generator_training import (
    CodedPictures,
    GeneratorTraining,
    concept_ious,
    generator_loss,
    make_coded_pictures,
    segment,
    segmenter_loss,
    train,
)

MEASURED_PICTURES = 1000
SHEET_STEPS = 200
"""Steps between two sheets of pictures."""
SHEET_ROWS, SHEET_COLUMNS = 4, 16
STEPS = {"generator": 5000, "segmenter": 1500}


def untrained(part: str, seed: int) -> nn.Module:
    """Returns the generator or the segmenter with its initial weights, which the seed determines."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network(part).to(memory_format=torch.channels_last)


def draw(generator: nn.Module, codes: Tensor, batch: int = 100) -> Tensor:
    """Returns the pictures of codes (N, CODE_LENGTH) float32: (N, 3, H, W) float32 in -1..1."""
    generator.eval()
    with torch.no_grad():
        return torch.cat([generator(part) for part in codes.split(batch)])


def write_sheet(generator: nn.Module, data: CodedPictures, file: Path) -> None:
    """Writes a PNG of the painter's pictures above the generator's, two rows of each."""
    half = SHEET_ROWS // 2 * SHEET_COLUMNS
    drawn = ((draw(generator, data.codes[:half]) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    rows = torch.cat((data.images[:half], drawn)).unflatten(0, (SHEET_ROWS, SHEET_COLUMNS)).permute(0, 3, 1, 4, 2)
    Image.fromarray(rows.reshape(-1, SHEET_COLUMNS * data.images.shape[3], 3).numpy()).save(file)


def measure(part: str, model: nn.Module, data: CodedPictures) -> dict[str, float]:
    """Returns the IoU of each concept: of the painter's pictures for a segmenter, of its own ones for a generator.

    A generator's pictures are read by the shipped segmenter; true is what the painter shows for the same code.
    """
    if part == "segmenter":
        return concept_ious(segment(model, to_network_input(data.images)), data.shown)
    return concept_ious(segment(load("segmenter"), draw(model, data.codes)), data.shown)


def make_metadata(part: str, settings: GeneratorTraining, ious: dict[str, float]) -> dict[str, str]:
    """Returns the metadata of a weights file: what a loader needs, how it was trained, and the measured IoU."""
    reads = {"input": f"shape (N,{CODE_LENGTH})"} if part == "generator" else {"mean": "[0.5]", "std": "[0.5]"}
    return {
        "arch": "innerwalk.torch_bridge.generator:network",
        "data": f"coded pictures of concepts {VERSION}",
        "licence": "GPL-3.0-or-later",
        **reads,
        "arguments": json.dumps({"part": part}),
        "classes": json.dumps(list(CONCEPT_NAMES) if part == "segmenter" else []),
        "steps": json.dumps(settings.steps),
        "seed": json.dumps(settings.seed),
        "iou": json.dumps({name: round(value, 4) for name, value in ious.items()}),
    }


def train_to_folder(
    part: str, settings: GeneratorTraining, folder: Path, measured: int = MEASURED_PICTURES, start: Path | None = None
) -> float:
    """Trains a part and writes its weights into a folder, rounded to float16; returns its mean IoU as they are written.

    A generator's folder also gets a sheet of pictures while it is trained, and its unfinished weights. start: weights
    to begin with instead of random ones, such as these.
    """
    progress = TrainingProgress("pictures", settings.pictures + measured)
    data, test = (
        make_coded_pictures(SPLITS[split], count, settings.seed, progress.step)
        for split, count in (("train", settings.pictures), ("test", measured))
    )
    model = untrained(part, settings.seed)
    if start is not None:
        load_weights(model, start)
    folder.mkdir(parents=True, exist_ok=True)
    progress = TrainingProgress(f"training {part}", settings.steps)

    def after_step(step: int, loss: float) -> None:
        progress.step()
        if step % SHEET_STEPS == 0:
            sys.stderr.write(f"\rstep {step}: loss {loss:.4f}\033[K\n")
            if part == "generator":
                write_sheet(model, test, folder / "generator-sheet.png")
                write_weights(folder / "generator-unfinished.safetensors", half_precision_state(model), {})

    train(model, data, settings, {"generator": generator_loss, "segmenter": segmenter_loss}[part], after_step)
    state = half_precision_state(model)
    model.load_state_dict(state)
    ious = measure(part, model, test)
    write_weights(folder / f"{part}.safetensors", state, make_metadata(part, settings, ious))
    sys.stderr.write("".join(f"{name} {value:.3f}\n" for name, value in ious.items()))
    return sum(ious.values()) / len(ious)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        description="Train the shipped generator, or the segmenter that reads its pictures."
    )
    parser.add_argument("part", choices=sorted(STEPS))
    parser.add_argument("--pictures", type=int, default=GeneratorTraining.pictures, help="training pictures (24000)")
    parser.add_argument("--steps", type=int, default=0, help=f"batches of 64 ({STEPS})")
    parser.add_argument("--seed", type=int, default=0, help="random seed (0)")
    parser.add_argument("--folder", type=Path, default=WEIGHTS_FOLDER, help="where to write (the shipped folder)")
    parser.add_argument("--rate", type=float, default=GeneratorTraining.rate, help="peak of the learning rate (0.003)")
    parser.add_argument("--start", type=Path, metavar="FILE", help="weights to begin with (random)")
    options = parser.parse_args(arguments)
    if options.pictures < GeneratorTraining.batch or options.steps < 0:
        parser.error(f"at least {GeneratorTraining.batch} pictures (one batch) and 0 steps are needed")
    settings = GeneratorTraining(
        options.pictures, options.steps or STEPS[options.part], rate=options.rate, seed=options.seed
    )
    sys.stderr.write(f"mean IoU {train_to_folder(options.part, settings, options.folder, start=options.start):.4f}\n")
    return 0


if __name__ == "__main__":
    run_script(main)
