"""The table of networks: what it calls right, wrong and uncertain."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from innerwalk.bench.networks import check  # noqa: E402
from innerwalk.bench.zoos.candidate import Built, Candidate, picture_batch, single_input  # noqa: E402

torch.set_num_threads(1)


class Applies(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 4, 3), function

    def forward(self, x):
        return self.function(self, self.conv(x))


def fail_if_watched(model: nn.Module, y: torch.Tensor) -> torch.Tensor:
    if torch.overrides._get_current_function_mode() is not None:
        raise RuntimeError("watched")
    return y


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (lambda m, y: y.relu(), "right"),
        (lambda m, y: y if len(y) == 1 else y + 1, "wrong, batch"),
        (lambda m, y: y.flip(-1) if len(y) == 2 else y * 1, "wrong, batch"),
        (lambda m, y: y * len(y), "right, "),
        (lambda m, y: y - y.mean(0), "right, "),
        (lambda m, y: m.conv(torch.from_numpy(y[:, :3].numpy())), "uncertain, note: conv@2"),
        (lambda m, y: y @ y[:0], "skipped, RuntimeError"),
        (fail_if_watched, "wrong, error: ModelError"),
    ],
)
def test_a_network_is_judged(function: Any, result: str) -> None:
    row = check(
        Candidate("own", "net", lambda: Built.from_batch(Applies(function), picture_batch(3, 8, 8)), traceable=True)
    )
    assert f"{row.verdict}, {row.reason}".startswith(result), row


def test_layers_of_all_inputs_are_listed_by_name() -> None:
    row = check(
        Candidate("own", "net", lambda: Built.from_batch(Applies(lambda m, y: y - y.mean(0)), picture_batch(3, 8, 8)))
    )
    assert row.mixing == (":mean", ":sub", "output")
    assert ":mean, :sub" in str(row) and (row.layers, row.doubtful) == (5, 0)


def test_one_input_of_a_batch() -> None:
    batch = torch.arange(6).reshape(2, 3)
    assert single_input({"a": batch}, 1)["a"].tolist() == [[3, 4, 5]]
    assert single_input(list(batch), 1)[0].tolist() == [3, 4, 5]
