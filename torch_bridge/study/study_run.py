"""A study: its folder, and the trainings in it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..data import DataSet
from ..dissection.parts import write_whole
from ..recording import Progress
from ..recording.errors import InputError
from ..recording.files import failure_text, parse_json, read_file
from ..recording.part_files import remove_stale_parts
from .strategies import CONTROL, STRATEGIES, StrategyName, StrategySettings
from .study_networks import NETWORKS
from .study_pictures import StudyPictures, read_pictures
from .study_training import CHECKPOINT, StudyTraining, read_settings, resume_training, start_training, train_on

STUDY_FILE = "study.json"
MAX_STUDY = 4 << 20
"""Bytes of the file that says what a study is about."""
READ = 0.02
"""Share of the work after which the pictures are read."""


@dataclass(frozen=True)
class StudySettings:
    """What a study is about."""

    network: str = "covid_resnet"
    size: tuple[int, int] = (0, 0)
    """(height, width) in pixels; (0, 0) for those of the paper."""
    classes: tuple[str, ...] = ()
    """Names of the classes; () for all of the data set."""
    count: int = 0
    """Pictures in all; 0 for all there are."""


class Study:
    """Pictures, a network, and the folder of the trainings."""

    def __init__(self, data: DataSet, settings: StudySettings, folder: Path, progress: Progress) -> None:
        """Reads the pictures. Raises InputError for a folder of another study, and for unfit pictures; UnknownName."""
        size = settings.size if all(settings.size) else NETWORKS[settings.network].size
        _check_folder(folder)
        self.data, self.folder, self.network = data, folder, NETWORKS[settings.network]
        self.pictures: StudyPictures = read_pictures(data, size, settings.classes, settings.count, progress)
        self.about: dict[str, Any] = {
            "network": settings.network,
            "data set name": data.name,
            "size": list(size),
            "classes": list(self.pictures.classes),
            "trained on": len(self.pictures.train.labels),
            "tested on": len(self.pictures.test.labels),
            "mean": list(self.pictures.mean),
            "std": list(self.pictures.std),
            "left out": list(self.pictures.left_out),
        }
        _claim_folder(folder, self.about)

    def path(self, strategy: StrategyName) -> Path:
        """Returns the file of a training."""
        return self.folder / strategy / CHECKPOINT

    def opened(self, settings: StrategySettings) -> StudyTraining:
        """Returns a training as far as it has come. Raises InputError if its file is damaged or has other settings."""
        training = start_training(self.network.build, len(self.pictures.classes), settings)
        path = self.path(settings.strategy)
        if path.exists():
            resume_training(training, path)
        return training

    def train(self, settings: StrategySettings, progress: Progress, seconds: float = math.inf) -> StudyTraining:
        """Trains to the last epoch, or until time has run out; goes on where there is a file. Raises InputError."""
        training = self.opened(settings)
        self.path(settings.strategy).parent.mkdir(exist_ok=True)
        torch.set_flush_denormal(True)
        train_on(training, self.pictures, self.path(settings.strategy), progress, seconds)
        return training

    def trainings(self) -> dict[StrategyName, StudyTraining]:
        """Returns all trainings in the folder, as far as they have come. Raises InputError for a damaged file."""
        found = {}
        for strategy in (*STRATEGIES, CONTROL):
            if self.path(strategy).exists():
                found[strategy] = self.opened(read_settings(self.path(strategy)))
        return found


def _check_folder(folder: Path) -> None:
    """Raises InputError for a folder with something else in it; before any picture is read."""
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / STUDY_FILE).exists():
            raise InputError(f"{folder}: not empty, and no study ({STUDY_FILE} is missing); name a new folder")
    except OSError as error:
        raise InputError(f"{folder}: {failure_text(error)}; name another folder") from None


def _claim_folder(folder: Path, about: dict[str, Any]) -> None:
    """Writes STUDY_FILE, or compares it. Raises InputError for a folder of another study."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_stale_parts(folder)
        if not (folder / STUDY_FILE).exists():
            write_whole(folder / STUDY_FILE, [json.dumps(about, indent=1).encode()])
        found = parse_json(read_file(folder / STUDY_FILE, MAX_STUDY))
    except OSError as error:
        raise InputError(f"{folder}: {failure_text(error)}; name another folder") from None
    except ValueError:
        found = None
    if found != about:
        changed = next((key for key in about if not isinstance(found, dict) or found.get(key) != about[key]), "format")
        raise InputError(f"{folder}: a study with other settings: {changed}; name a new folder")
