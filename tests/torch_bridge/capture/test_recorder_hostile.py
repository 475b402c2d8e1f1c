"""The recorder on networks that defeat tracers: data flow as written by hand, values as the layers alone give them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from innerwalk.tests.support.hostile import CASES, Case  # noqa: E402
from innerwalk.torch_bridge import record  # noqa: E402

torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*is deprecated:DeprecationWarning")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_edges_are_the_truth(case: Case) -> None:
    torch.manual_seed(0)
    network = record(case.build(), case.inputs, layers=()).network
    found: dict[str, set[str]] = {layer.id: set() for layer in network.layers if layer.kind != "input"}
    for edge in network.edges:
        found[edge.target].add(edge.source)
    assert found == {target: set(sources.split()) for target, sources in case.truth.items()}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_earlier_runs_change_nothing(case: Case) -> None:
    torch.manual_seed(0)
    fresh, used = case.build(), case.build()
    with torch.no_grad():
        if isinstance(case.inputs, dict):
            used(**case.inputs)
        else:
            used(*(case.inputs if isinstance(case.inputs, tuple) else (case.inputs,)))
    first, second, third = (record(model, case.inputs, layers=()).network for model in (fresh, fresh, used))
    assert first.layers == second.layers == third.layers
    assert first.edges == second.edges == third.edges
