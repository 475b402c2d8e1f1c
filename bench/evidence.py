"""Top images over data sets of several sizes: pictures a second and memory, compared with the plain forward pass.

Each row has its own process, with one thread for the network and another that reads pictures. Memory is the growth of
the process's peak after the first picture. Real weights and photographs are read from INNERWALK_DATA.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from ..torch_bridge.data import open_data
from ..torch_bridge.methods import METHODS, parse_parameters
from ..torch_bridge.models.device import choose_device
from ..torch_bridge.server.config import serve_config
from ..torch_bridge.server.loaded_model import LoadedModel
from ..torch_bridge.server.priority_lock import PriorityLock
from .recording import _resident

COUNTS = (500, 2000)
BUDGET = "one pass; memory the same for any number of pictures"
MARK = "evidence: "
DATA = Path(os.environ.get("INNERWALK_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SHIPPED = "object", "concepts:object", "stage3.1:add"
REAL = (
    f"squeezenet1_0={DATA}/weights/squeezenet1_0_imagenet.safetensors", f"{DATA}/caltech101_175x150.zip",
    "features.12.expand3x3",
)  # fmt: skip


def measure() -> dict[str, Any]:
    """Returns a row for each network and number of pictures."""
    cases = {"shipped object network, 64 px": SHIPPED}
    if DATA.is_dir():
        cases["SqueezeNet, 224 px, Caltech photographs"] = REAL
    rows: dict[str, Any] = {"budget": BUDGET}
    for name, case in cases.items():
        for count in COUNTS:
            rows[f"{name}, {count:,} pictures"] = _child(*case, str(count))
    return rows


def _child(*arguments: str) -> dict[str, float]:
    command = [sys.executable, "-c", f"from {__name__} import run; import sys; run(*sys.argv[1:])", *arguments]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return json.loads(next(line for line in lines if line.startswith(MARK)).removeprefix(MARK))


def run(model: str, data: str, layer: str, count: str) -> None:
    """Prints one row as JSON after MARK."""
    torch.set_num_threads(1)
    [(name, spec)] = serve_config([model]).networks.items()
    live = LoadedModel(name, spec, choose_device("cpu"), PriorityLock())
    live.record(live.read(live.default_sources), (), lambda maps: None)
    opened, method = open_data(data), METHODS["top_images"]
    for _ in live.run_method(method, [layer], parse_parameters(method, {"count": 40}), opened):
        continue  # loads everything that is loaded once
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    start, busy, longest, last = time.perf_counter(), time.process_time(), 0.0, time.perf_counter()
    for _ in live.run_method(method, [layer], parse_parameters(method, {"count": int(count)}), opened):
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    spent, busy = time.perf_counter() - start, time.process_time() - busy
    row = {
        "pictures a second": int(count) / spent,
        "CPU ms a picture": 1000 * busy / int(count),
        "forward alone, CPU ms": _forward(live),
        "longest step, s": longest,
        "MB of peak grown": (_resident("VmHWM") - before) / 1e6,
    }
    print(MARK + json.dumps(row))


def _forward(live: LoadedModel) -> float:
    """Returns the CPU milliseconds of the network on one picture: the least of eight runs."""
    arguments = live.subject.adapter.arguments(live.read(live.default_sources))
    spent = []
    with torch.no_grad():
        for _ in range(8):
            start = time.process_time()
            live.model(*arguments)
            spent.append(time.process_time() - start)
    return 1000 * min(spent)
