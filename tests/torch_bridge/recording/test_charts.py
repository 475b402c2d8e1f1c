"""Charts travel with maps through files and descriptions, and hostile ones are refused in one line."""

import json

import numpy as np
import pytest

from innerwalk.tests.support.charts import CHART, recording_with
from innerwalk.torch_bridge.recording import load
from innerwalk.torch_bridge.recording.charts import (
    LARGEST,
    MOST_CHARTS,
    MOST_LENGTH,
    MOST_ROWS,
    MOST_SERIES,
    describe_chart,
    fitted_chart,
)
from innerwalk.torch_bridge.recording.errors import InputError, RecordingError
from innerwalk.torch_bridge.recording.maps_entries import parse_chart


def test_charts_are_saved_and_loaded(tmp_path):
    recording_with(CHART, CHART).save(tmp_path)
    assert load(tmp_path).maps("conv", "dissection").charts == (CHART, CHART)
    assert load(tmp_path).maps("conv", "dissection").only([1, 2]).charts == (CHART, CHART)


def test_recordings_without_charts_are_read(tmp_path):
    recording_with(CHART).save(tmp_path)
    document = json.loads((tmp_path / "recording.json").read_text())
    del document["maps"][0]["charts"]
    (tmp_path / "recording.json").write_text(json.dumps(document))
    assert load(tmp_path).maps("conv", "dissection").charts == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "pie"}, "kind must be one of bars, lines, matrix, table"),
        ({"title": 3}, "title: must be a string"),
        ({"title": "t" * (MOST_LENGTH + 1)}, f"at most {MOST_LENGTH} characters"),
        ({"rows": ["ring", "r" * 1000]}, "rows[1]: must be a string"),
        ({"rows": []}, "1 to 1,024 rows"),
        ({"rows": ["a"] * (MOST_ROWS + 1)}, f"at most {MOST_ROWS} entries"),
        ({"series": []}, "1 to 1,024 rows and 1 to 64 series"),
        ({"series": ["s"] * (MOST_SERIES + 1)}, f"at most {MOST_SERIES} entries"),
        ({"values": [[1.0]]}, "2 rows of 1 values"),
        ({"values": [[1.0], [1.0, 2.0]]}, "2 rows of 1 values"),
        ({"values": [[1.0], [float("nan")]]}, "finite numbers"),
        ({"values": [[1.0], [float("inf")]]}, "finite numbers"),
        ({"values": [[1.0], [10 * LARGEST]]}, "finite numbers"),
        ({"values": [[1.0], ["2"]]}, "must be a number"),
        ({"values": [[1.0], [True]]}, "must be a number"),
        ({"values": [[1.0], 2.0]}, "row must be a list"),
        ({"values": {}}, "values must be a list"),
        ({"rows": ["a", "\ud800"]}, "lone surrogates"),
    ],
)
def test_hostile_charts_are_one_line(tmp_path, change, said):
    with pytest.raises(RecordingError) as raised:
        parse_chart(describe_chart(CHART) | change, "charts[0]")
    assert said in str(raised.value) and "charts[0]" in str(raised.value) and "\n" not in str(raised.value)
    recording_with(CHART).save(tmp_path)
    document = json.loads((tmp_path / "recording.json").read_text())
    document["maps"][0]["charts"] = [describe_chart(CHART) | change]
    (tmp_path / "recording.json").write_text(json.dumps(document))
    with pytest.raises(RecordingError):
        load(tmp_path)


@pytest.mark.parametrize("charts", [3, "x", [3], [describe_chart(CHART)] * (MOST_CHARTS + 1), {"a": 1}])
def test_hostile_lists_of_charts_are_refused(tmp_path, charts):
    recording_with(CHART).save(tmp_path)
    document = json.loads((tmp_path / "recording.json").read_text())
    document["maps"][0]["charts"] = charts
    (tmp_path / "recording.json").write_text(json.dumps(document))
    with pytest.raises(RecordingError):
        load(tmp_path)


def test_charts_of_methods_are_cut_to_size():
    values = np.full((MOST_ROWS + 5, MOST_SERIES + 5), 1 / 3)
    values[0, :3] = np.nan, np.inf, 1e300
    chart = fitted_chart("matrix", "t" * 999, ["r" * 999] * len(values), ["s"] * values.shape[1], values)
    assert (len(chart.rows), len(chart.series), len(chart.title)) == (MOST_ROWS, MOST_SERIES, MOST_LENGTH)
    assert chart.values[0][:4] == (0.0, 0.0, LARGEST, 0.333333)
    with pytest.raises(InputError, match="rows"):
        fitted_chart("matrix", "empty", [], ["s"], np.zeros((0, 1)))
