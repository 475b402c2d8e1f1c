"""Ten networks with several inputs and outputs: what their boards show, and whether their edges are autograd's.

    python -m innerwalk.bench.endpoints

The edges of each recording are compared with what autograd reaches (`reachability.py`). Packages are fetched to
`out/site-packages`.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

import torch

from ..torch_bridge import Recording, record
from ..torch_bridge.recording import Endpoint
from .reachability import compare_reachability, measure_reachability
from .zoos.endpoint_zoo import endpoint_networks

WORST = 3
"""Differences that are listed of a network."""


def measure() -> dict[str, Any]:
    """Returns for each network its inputs and outputs, and how its edges differ from autograd's."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of the packages
    found: dict[str, Any] = {}
    for name, make in endpoint_networks().items():
        torch.manual_seed(0)
        model, inputs = make()
        start = time.perf_counter()
        recording = record(model.eval(), inputs, layers=())
        seconds = time.perf_counter() - start
        truth = measure_reachability(model, inputs)
        found[name] = {
            "inputs": _listed(recording.inputs),
            "outputs": _listed(recording.outputs),
            "layers": len(recording.network.layers),
            "panels": sum(layer.role == "panel" for layer in recording.network.layers),
            "calls compared": len(_ids(recording) & truth.inputs_of.keys()),
            "inputs without gradients": ", ".join(sorted(truth.unreached)) or "none",
            "differences": "; ".join(compare_reachability(recording.network, truth)[:WORST]) or "none",
            "seconds": round(seconds, 2),
        }
        print(name, found[name], flush=True)
    return found


def _ids(recording: Recording) -> set[str]:
    return {layer.id for layer in recording.network.layers}


def _listed(endpoints: tuple[Endpoint, ...]) -> str:
    return ", ".join(f"{own.name} ({own.kind})" for own in endpoints)


if __name__ == "__main__":
    measure()
