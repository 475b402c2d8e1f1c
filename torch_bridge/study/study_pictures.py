"""The pictures of a study: read once, divided into those to train on and those to test on, class by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..concepts.concepts_training import LabelledPictures
from ..data import DataSet
from ..inputs.preprocess import Preprocessing, fit_picture
from ..recording import Progress
from ..recording.errors import InputError, UnknownName

TEST_SHARE, SPLIT_SEED = 0.2, 42
"""Share of each class that is tested on, and the seed that chooses it: those of the paper."""
FEWEST, LEAST_SIDE = 2, 32
"""Pictures of a class, one to train on and one to test on; pixels of a side, which the networks halve five times."""


@dataclass(frozen=True)
class StudyPictures:
    """Pictures of some classes; each is (3, H, W) uint8 sRGB, and its class an index into `classes`."""

    classes: tuple[str, ...]
    train: LabelledPictures
    test: LabelledPictures
    places: tuple[int, ...]
    """Place in the data set of each picture to test on."""
    mean: tuple[float, ...]
    """Of each colour of the pictures to train on, sRGB 0..1."""
    std: tuple[float, ...]
    left_out: tuple[str, ...]
    """What couldn't be read, one line each."""

    def normalised(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) uint8 -> float32 as networks take it, channels last in memory."""
        mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (self.mean, self.std))
        return ((images.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def read_pictures(
    data: DataSet, size: tuple[int, int], names: tuple[str, ...], count: int, progress: Progress
) -> StudyPictures:
    """Reads the pictures of some classes, stretched to a size (height, width), and divides them.

    names: the classes; () for all. count: pictures in all, as many of each class as of others; 0 for all there are.
    Raises InputError for small sides, less than two classes, or few pictures of one; UnknownName.
    """
    if min(size) < LEAST_SIDE:
        raise InputError(f"size {size[1]}×{size[0]}: at least {LEAST_SIDE} pixels a side are needed")
    for name in names:
        if name not in data.classes:
            raise UnknownName(f"class of {data.name}", name, data.classes)
    classes = names or data.classes
    if len({*classes}) < 2:
        raise InputError(
            f"data set {data.name}: a study needs at least two classes, each a folder of pictures, not {len(classes)}"
        )
    chosen, left_out = _read_classes(data, size, classes, count, progress)
    random = np.random.default_rng(SPLIT_SEED)
    parts: dict[str, list[tuple[int, int, np.ndarray]]] = {"train": [], "test": []}
    for label, found in enumerate(chosen):
        if len(found) < FEWEST:
            few = f"class {classes[label]} needs at least two pictures, to train on and to test on"
            raise InputError(f"data set {data.name}: {few}; {len(found)} can be read")
        tested = max(1, round(TEST_SHARE * len(found)))
        for rank, k in enumerate(random.permutation(len(found))):
            parts["test" if rank < tested else "train"].append((label, *found[k]))
    train, test = (_labelled(part) for part in parts.values())
    values = train.images.float().transpose(0, 1).flatten(1) / 255
    mean, std = ([round(value, 4) for value in found.tolist()] for found in (values.mean(1), values.std(1)))
    return StudyPictures(
        tuple(classes),
        train,
        test,
        tuple(index for _, index, _ in parts["test"]),
        tuple(mean),
        tuple(max(value, 1e-3) for value in std),
        tuple(left_out),
    )


def _read_classes(
    data: DataSet, size: tuple[int, int], classes: tuple[str, ...], count: int, progress: Progress
) -> tuple[list[list[tuple[int, np.ndarray]]], list[str]]:
    """By class: (place in the data set, (H, W, 3) uint8) of each picture; and what can't be read."""
    fit = Preprocessing(size=size, stretch=True)
    most = -(-count // len(classes)) if count else len(data)
    members = [np.flatnonzero(data.labels == data.classes.index(name))[:most].tolist() for name in classes]
    total, done, left_out = sum(map(len, members)), 0, []
    found: list[list[tuple[int, np.ndarray]]] = [[] for _ in classes]
    for label, indices in enumerate(members):
        for index in indices:
            try:
                found[label].append((index, np.asarray(fit_picture(data.picture(index), fit))))
            except InputError as error:
                left_out.append(str(error))
            done += 1
            progress("reading pictures", done / total)
    return found, left_out


def _labelled(entries: list[tuple[int, int, np.ndarray]]) -> LabelledPictures:
    images = torch.from_numpy(np.stack([picture for _, _, picture in entries])).permute(0, 3, 1, 2).contiguous()
    return LabelledPictures(images, torch.tensor([label for label, _, _ in entries]))
