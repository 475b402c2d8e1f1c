"""Network Dissection: the tally against a plain loop, `object` over 2,000 pictures, its memory, and two workers.

Times of whole runs depend on what else the machine does: each row says how many processes wanted its cores.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..torch_bridge.dissection.tally import LabelPlanes, count_pixels

UNITS, SIDE, LARGE, PICTURES, LABELS, CATEGORIES = 256, 7, 112, 16, 300, 5
FEW, MANY = 500, 2000
TIMES_AS_FAST, SECONDS, SPEED_UP = 6.0, 60.0, 1.6
"""Budgets: the tally against the loop; seconds of `object` over MANY pictures on 2 cores; two workers against one."""


def measure() -> dict[str, Any]:
    """Returns the tally's speed, and rows for whole runs of `innerwalk dissect object`."""
    torch.set_num_threads(1)
    found: dict[str, Any] = {f"tally, {UNITS} units of {SIDE} x {SIDE}": _tally()}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        found[f"object, {MANY:,} pictures"] = {**_dissect(folder / "whole", MANY), "budget": SECONDS}
        few, alone = (_dissect(folder / str(count), count, cores=1) for count in (FEW, MANY))
        shared = _dissect(folder / "shared", MANY, "--workers", "2")
        tables = [sorted((folder / name).glob("*.csv")) for name in (str(MANY), "shared")]
        equal = all(own.read_bytes() == other.read_bytes() for own, other in zip(*tables, strict=True))
    found["one core"], found["two workers of one thread"] = alone, {**shared, "same tables": equal}
    found["two workers, times as fast"] = {"measured": alone["s"] / shared["s"], "budget": SPEED_UP}
    found[f"MiB from {FEW} to {MANY:,} pictures"] = {str(FEW): few["MiB"], str(MANY): alone["MiB"]}
    return found


def _tally() -> dict[str, float]:
    generator = torch.Generator().manual_seed(0)
    category_of = torch.cat([torch.zeros(1), torch.arange(1, LABELS) % CATEGORIES + 1]).long()
    maps = torch.randn(PICTURES, UNITS, SIDE, SIDE, generator=generator).relu()
    thresholds = torch.quantile(maps.transpose(0, 1).reshape(UNITS, -1), 0.995, dim=1)
    coarse = torch.randint(0, LABELS, (PICTURES, 3, SIDE, SIDE), generator=generator)
    labels = coarse.repeat_interleave(LARGE // SIDE, 2).repeat_interleave(LARGE // SIDE, 3)
    whole = torch.randint(1, LABELS, (PICTURES, 1), generator=generator)
    start = time.process_time()
    wanted = _plain_loop(maps, labels, whole, thresholds, category_of)
    middle = time.process_time()
    counts = count_pixels(maps, LabelPlanes.of(labels, whole, category_of), thresholds)
    end = time.process_time()
    found = counts.both.rows(0, UNITS), counts.unit_pixels, counts.category_pixels
    assert all(np.array_equal(own, other) for own, other in zip(found, wanted, strict=True))
    loop, own = middle - start, end - middle
    return {"loop s": loop, "ours s": own, "times as fast": loop / own, "budget": TIMES_AS_FAST}


def _plain_loop(maps: Tensor, labels: Tensor, whole: Tensor, thresholds: Tensor, category_of: Tensor) -> list[Tensor]:
    """Returns (U, L), (U,) and (U, C) int64 as `UnitCounts` has them, counted picture by picture and unit by unit."""
    both, pixels = torch.zeros(UNITS, LABELS, dtype=torch.int64), torch.zeros(UNITS, dtype=torch.int64)
    in_category = torch.zeros(UNITS, CATEGORIES, dtype=torch.int64)
    for picture, planes, numbers in zip(maps, labels, whole, strict=True):
        flat = planes.reshape(len(planes), -1)
        for unit, threshold in enumerate(thresholds):
            if picture[unit].max() <= threshold:
                continue
            values = picture[None, unit : unit + 1]
            large = F.interpolate(values, size=labels.shape[2:], mode="bilinear", align_corners=False)
            inside = (large > threshold).reshape(-1)
            hits = torch.bincount(flat[:, inside].reshape(-1), minlength=LABELS)
            hits[numbers] += inside.sum()
            hits[0] = 0
            met = torch.zeros(CATEGORIES + 1, dtype=torch.bool)
            met[category_of[hits.nonzero()[:, 0]]] = True
            both[unit] += hits
            pixels[unit] += inside.sum()
            in_category[unit] += inside.sum() * met[1:]
    return [both, pixels, in_category]


def _dissect(folder: Path, count: int, *more: str, cores: int | None = None) -> dict[str, float]:
    """Runs `innerwalk dissect object`; returns seconds, CPU seconds, MiB of its largest process, and the load.

    cores: how many it may use; reading pictures has a thread of its own, which would take a second one.
    """
    command = [sys.executable, "-m", "innerwalk.scenes", "dissect", "object", "-o", str(folder), "--count", str(count)]
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen([*command, *more], stdout=subprocess.DEVNULL)
    os.sched_setaffinity(0, allowed)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    assert status == 0, f"{command} ended with status {status}"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"s": seconds, "CPU s": spent, "MiB": used.ru_maxrss / 1024, "load": os.getloadavg()[0]}
