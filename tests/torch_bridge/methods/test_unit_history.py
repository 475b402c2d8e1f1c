"""A unit's pictures through training: a tile for each checkpoint, in order, of its weights; errors are one line."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402

from innerwalk.tests.support.method_runs import make_context, method_steps, run_method  # noqa: E402
from innerwalk.torch_bridge.attribution.heat_sheet import GAP, TILE  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402

RED, GREEN, BLUE = range(3)


class ColourUnits(nn.Module):
    """Two units, each of which likes one colour."""

    def __init__(self, *colours: int):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        with torch.no_grad():
            self.conv.weight.fill_(-0.5)
            self.conv.bias.zero_()
            for unit, colour in enumerate(colours):
                self.conv.weight[unit, colour] = 1.0

    def forward(self, picture):
        return self.conv(picture).mean((2, 3))


def write_run(folder):
    """Three checkpoints: the first unit likes red, then green, then blue; the second one always red."""
    folder.mkdir()
    for epoch, colour in enumerate((RED, GREEN, BLUE)):
        torch.save(ColourUnits(colour, RED).state_dict(), folder / f"epoch_{epoch}.pt")
    return folder


def context_of(channels):
    return make_context(ColourUnits(BLUE, BLUE).eval(), torch.zeros(1, 3, 32, 32), ["conv"], channels)


def tile_colours(maps, rows: int, columns: int) -> np.ndarray:
    """(rows, columns): the channel of red, green and blue that is strongest in each tile."""
    height, width = maps.shape[1] // rows, TILE + GAP
    means = [
        [
            maps.data[0, row * height + GAP :][:TILE, GAP + column * width :][:, :TILE].mean((0, 1))
            for column in range(columns)
        ]
        for row in range(rows)
    ]
    return np.array(means).argmax(-1)


def test_each_checkpoint_has_a_tile_of_its_own_weights_in_order(tmp_path):
    context, run = context_of([0, 1]), write_run(tmp_path / "run")
    before = {name: value.clone() for name, value in context.model.state_dict().items()}
    maps = run_method(context, "unit_history", checkpoints=str(run), steps=24)["conv"]
    assert maps.channels == 1 and maps.labels == ("channels 0, 1, epoch 0 to epoch 2",)
    assert tile_colours(maps, 2, 3).tolist() == [[RED, GREEN, BLUE], [RED, RED, RED]]
    (chart,) = maps.charts
    assert (chart.kind, chart.rows, chart.series) == (
        "lines",
        ("epoch 0", "epoch 1", "epoch 2"),
        ("channel 0", "channel 1"),
    )
    assert len({row[1] for row in chart.values}) == 1  # the same weights reach the same from the same noise
    after = context.model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)  # the network itself has its own weights


def test_one_channel_fills_the_sheet_in_reading_order_and_the_sheet_grows(tmp_path):
    run = write_run(tmp_path / "run")
    steps = method_steps(context_of([0]), "unit_history", checkpoints=str(run), steps=8)
    sheets = [maps for step in steps for maps in step.maps]
    assert [len(maps.charts[0].rows) for maps in sheets] == [1, 2, 3] and steps[-1].share == 1.0
    shares = [step.share for step in steps]
    assert shares == sorted(shares)


def test_long_runs_are_thinned_evenly_with_both_ends(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for epoch in range(9):
        torch.save(ColourUnits(RED, RED).state_dict(), folder / f"epoch_{epoch}.pt")
    maps = run_method(context_of([1]), "unit_history", checkpoints=str(folder), steps=1, most=3)["conv"]
    assert maps.charts[0].rows == ("epoch 0", "epoch 4", "epoch 8")


def test_checkpoints_of_another_network_are_left_out_and_named(tmp_path):
    run = write_run(tmp_path / "run")
    torch.save(nn.Conv2d(3, 5, 1).state_dict(), run / "epoch_3.pt")
    maps = run_method(context_of([0]), "unit_history", checkpoints=str(run), steps=1)["conv"]
    assert len(maps.charts[0].rows) == 3 and maps.note.startswith(
        "left out epoch 3; weights epoch_3.pt don't fit ColourUnits; "
    )


def test_a_checkpoint_of_a_run_that_has_diverged_is_left_out_and_named(tmp_path):
    run = write_run(tmp_path / "run")
    diverged = {name: value * np.nan for name, value in ColourUnits(RED, RED).state_dict().items()}
    torch.save(diverged, run / "epoch_1.pt")
    maps = run_method(context_of([0]), "unit_history", checkpoints=str(run), steps=4)["conv"]
    assert maps.charts[0].rows == ("epoch 0", "epoch 2")
    assert maps.note.startswith("left out epoch 1; the objective became NaN or infinite")


@pytest.mark.parametrize(
    ("channels", "folder", "kind", "said"),
    [
        ([0], "", InputError, "needs a training run; checkpoints=FOLDER names it"),
        ([0], "gone", InputError, "a folder of checkpoints is needed"),
        ([], "run", InputError, "shows 1 to 12 channels; choose some"),
        ([0], "others", ModelError, "none of 1 checkpoints can be shown: a; weights a.pt don't fit"),
    ],
)
def test_what_cannot_be_shown_is_one_line(tmp_path, channels, folder, kind, said):
    write_run(tmp_path / "run")
    (tmp_path / "others").mkdir()
    torch.save(nn.Conv2d(3, 5, 1).state_dict(), tmp_path / "others" / "a.pt")
    with pytest.raises(kind, match=said) as raised:
        run_method(context_of(channels), "unit_history", checkpoints=str(tmp_path / folder) if folder else "", steps=1)
    assert "\n" not in str(raised.value)
