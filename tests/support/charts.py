"""Charts of every kind and size, and a recording that has some."""

import numpy as np

from innerwalk.torch_bridge.recording import Chart, Edge, Layer, Maps, Network, Prediction, Recording

KINDS = ("bars", "lines", "matrix", "table")
WORDS = ("a", "ring", "stage3.1:add", "a concept with a long name", "環状の図形", "W" * 60, "features.12.expand3x3")
CHART = Chart("bars", "evidence", ("ring", "blue"), ("share",), ((0.31,), (-0.12,)), "concept", "score", "category")


def chart(kind="bars", values=((1.0,), (2.0,)), rows=None, series=None, **names) -> Chart:
    rows = rows or tuple(f"row {k}" for k in range(len(values)))
    series = series or tuple(f"series {k}" for k in range(len(values[0])))
    return Chart(kind, names.pop("title", "a title"), rows, series, tuple(map(tuple, values)), **names)


def random_chart(kind: str, seed: int) -> Chart:
    random = np.random.default_rng(seed)
    count, width = int(random.integers(1, 40)), int(random.integers(1, 20))
    values = random.normal(size=(count, width)) * 10.0 ** random.integers(-6, 9)
    if seed % 3 == 0:
        values = np.abs(values)
    if seed % 5 == 0:
        values[:] = 0.0
    rows, series = ([str(random.choice(WORDS)) for _ in range(size)] for size in (count, width))
    axes = {"row_axis": WORDS[3], "value_axis": WORDS[3] * 2, "series_axis": "category"}
    return chart(kind, values.tolist(), tuple(rows), tuple(series), title=WORDS[seed % len(WORDS)] * 2, **axes)


def recording_with(*charts: Chart) -> Recording:
    layers = (Layer("in", "input", "input", (1,), (1, 1, 1)), Layer("conv", "Conv2d", "panel", (4, 1, 1), (4, 1, 1)))
    network = Network("net", layers, (Edge("in", "conv"),))
    maps = Maps("conv", "dissection", np.ones((1, 1, 1, 4), np.float32), 4, charts=charts)
    return Recording(network, "noise", np.zeros((2, 2, 3), np.uint8), Prediction(), {("conv", "dissection"): maps})
