"""Measures the networks of a study and writes what is found: tables, a sheet of made pictures, recipes, and a page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ..dissection.parts import write_whole
from ..method_support.method import Step
from ..recording import Progress
from ..recording.csv_tables import records_text
from .findings import PRESET, accuracies, find_in_network, sensitivity_rows, similarities
from .high_frequencies import picture_share
from .strategies import COPIES, StrategyName, default_settings
from .study_figures import write_figure, write_model
from .study_page import Tables, study_page
from .study_run import Study
from .study_sheet import SheetTiles, draw_sheet
from .study_training import StudyTraining, start_training

SUMMARY, PAGE, SHEET, UNTRAINED = "summary.json", "report.html", "channels.png", "untrained"
TABLES = ("accuracy", "frequencies", "sensitivity", "similarity", "epochs")


def write_study(
    study: Study, trainings: Mapping[StrategyName, StudyTraining], progress: Progress, steps: int
) -> dict[str, Any]:
    """Measures the networks and writes tables, SUMMARY, SHEET, recipes and PAGE into the study's folder.

    Returns the summary. steps: of each made picture. Raises OSError or RecordingError.
    """
    settings = next(iter(trainings.values())).settings
    start = default_settings("standard", seed=settings.seed)
    untrained = start_training(study.network.build, len(study.pictures.classes), start)
    networks: dict[str, StudyTraining] = {UNTRAINED: untrained} | dict(trainings.items())
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    kernels, drawn = list[SheetTiles](), list[SheetTiles]()
    for number, (name, training) in enumerate(networks.items()):

        def on_step(step: Step, name: str = name, done: int = number) -> None:
            progress(f"making pictures, {name}", (done + step.share) / 2 / len(networks))

        found = find_in_network(study.network, training.model.eval(), study.pictures, steps, on_step)
        tables["frequencies"].append({"network": name, **found.numbers})
        kernels.append((f"first kernels,\n{name}", found.kernels))
        drawn.append((f"last convolution,\n{name}", found.drawn))
    own = picture_share(study.pictures.train.images / 255)
    tables["frequencies"].append({"network": "pictures trained on", "kernels": None, "pictures": own})
    tables["similarity"] = similarities(study.network, {k: each.model for k, each in networks.items()}, study.pictures)
    recipes = []
    for number, (name, training) in enumerate(trainings.items()):
        progress(f"measuring {name}", 0.5 + number / 2 / len(trainings))
        tables["sensitivity"] += [{"network": name, **row} for row in sensitivity_rows(training.model, study.pictures)]
        numbers = accuracies(training, study.pictures)
        tables["accuracy"].append(_accuracy_row(study, training, numbers))
        tables["epochs"] += [{"strategy": name, **epoch} for epoch in training.epochs]
        recipes.append(write_figure(study, training, write_model(study, training, numbers)))
    summary = {
        **study.about,
        "chance": _chance(study),
        "paper": {"data": study.network.paper_data, "test": dict(study.network.paper)},
        "made pictures": {"preset": PRESET, "steps": steps},
        "recipes": recipes,
        **tables,
    }
    _write(study, summary, tables, draw_sheet([*kernels, *drawn]))
    return summary


def _accuracy_row(study: Study, training: StudyTraining, numbers: dict[str, float]) -> dict[str, Any]:
    settings = training.settings
    return {
        "strategy": settings.strategy,
        **numbers,
        "standard error": math.sqrt(numbers["test"] * (1 - numbers["test"]) / len(study.pictures.test.labels)),
        "chance": _chance(study),
        "paper": study.network.paper.get(settings.strategy),
        "epochs": len(training.epochs),
        "of": settings.epochs,
        "samples": len(study.pictures.train.labels) * (1 + COPIES * (settings.strategy == "noisy")),
        "rate": settings.rate,
        "weight decay": settings.weight_decay,
        "batch": settings.batch,
        "noise": settings.noise if settings.strategy == "noisy" else None,
        "seed": settings.seed,
        "cpu minutes": round(sum(epoch["cpu_seconds"] for epoch in training.epochs) / 60, 1),
    }


def _chance(study: Study) -> float:
    labels = study.pictures.test.labels
    return float(labels.bincount().max() / len(labels))


def _write(study: Study, summary: dict[str, Any], tables: Tables, sheet: bytes) -> None:
    for name, rows in tables.items():
        write_whole(study.folder / f"{name}.csv", [records_text(rows).encode()])
    write_whole(study.folder / SUMMARY, [json.dumps(summary, indent=1).encode()])
    write_whole(study.folder / SHEET, [sheet])
    write_whole(study.folder / PAGE, [study_page(summary, tables, sheet).encode()])
