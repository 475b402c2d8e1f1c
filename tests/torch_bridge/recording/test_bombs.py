"""Small files that would become gigabytes are refused, and loading takes memory in proportion to size."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from innerwalk.torch_bridge.recording import Edge, Layer, Network, data_model, schema
from innerwalk.torch_bridge.recording.errors import RecordingError

MARK = "LOADED "
LOAD = """
import resource, sys
from innerwalk.torch_bridge.recording import load
from innerwalk.torch_bridge.recording.errors import RecordingError
before, line = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, ""
try:
    load(sys.argv[1])
except RecordingError as error:
    line = str(error)
mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
print("LOADED", mib, line)
"""
EDGE_AFTER = schema.MAX_LAYERS // 2
"""Layers of a graph's first half; the rest of a graph of `halves` follows."""


def layers(first: str, second: str) -> list[dict]:
    """As many layers as are allowed: half of one role, half of another."""
    roles = [first] * EDGE_AFTER + [second] * EDGE_AFTER
    return [{"id": f"l{k}", "kind": "x", "role": role, "map_shape": [1, 1, 1]} for k, role in enumerate(roles)]


def bombs() -> dict[str, tuple[str, str]]:
    """By name: the text of a recording.json, and what the error says."""
    half = range(EDGE_AFTER)
    chained = [[EDGE_AFTER + k, EDGE_AFTER + k + 1] for k in half[:-1]]
    middle = {"id": "mid", "kind": "x", "role": "edge", "map_shape": [1, 1, 1]}
    sides = layers("panel", "panel")[:-1]
    both = [[k, EDGE_AFTER] for k in half] + [[EDGE_AFTER, k] for k in range(EDGE_AFTER + 1, 2 * EDGE_AFTER)]
    merging = [[k, EDGE_AFTER + k] for k in half] + chained
    many = [*layers("panel", "edge"), {"id": "more", "kind": "x", "role": "edge", "map_shape": [1, 1, 1]}]
    texts = {
        name: (json.dumps({"format": schema.FORMAT, "schema": 2, "network": {"layers": found, "edges": edges}}), words)
        for name, (found, edges), words in (
            ("each layer merges one more", (layers("panel", "edge"), merging), "links between its panels"),
            ("all to all", (sides[:EDGE_AFTER] + [middle] + sides[EDGE_AFTER:], both), "links between its panels"),
            ("too many layers", (many, []), "a list of at most 20000"),
            (
                "too many edges",
                (layers("panel", "edge"), [[0, 1]] * (schema.MAX_EDGES + 1)),
                "a list of at most 100000",
            ),
        )
    }
    for empty in ("[]", "{}"):
        lists = "[" + f"{empty}," * (schema.MAX_JSON // 3 - 50) + "0]"
        texts[f"many {empty}"] = (f'{{"format": "{schema.FORMAT}", "network": {lists}}}', "1,048,576 lists and objects")
    texts["larger than is read"] = (" " * (schema.MAX_JSON + 1), "too large; files of at most 64 MiB")
    return texts


BOMBS = bombs()


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_half_a_gibibyte(tmp_path: Path, name: str) -> None:
    text, words = BOMBS[name]
    picture = b'{"input":{"dtype":"U8","shape":[1,1,3],"data_offsets":[0,3]}}'
    pictures = f"pictures-{'0' * 24}.safetensors"
    (tmp_path / pictures).write_bytes(len(picture).to_bytes(8, "little") + picture + b"rgb")
    (tmp_path / "recording.json").write_text(text[:-1] + f', "pictures": "{pictures}"}}' if text[:1] == "{" else text)
    done = subprocess.run([sys.executable, "-c", LOAD, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = next(row for row in done.stdout.splitlines() if row.startswith(MARK))
    mib, line = said[len(MARK) :].split(" ", 1)
    assert words in line
    assert int(mib) <= 512


def test_layers_that_pass_one_origin_on_are_cheap() -> None:
    """A thousand layers behind a thousand panels: each has all of them as origins, in one shared set, not in copies."""
    roles = ["panel"] * 1000 + ["edge"] * 1000
    found = tuple(Layer(f"l{k}", "x", role, (1,), (1, 1, 1)) for k, role in enumerate(roles))  # type: ignore[arg-type]
    pairs = [(k, 1000) for k in range(1000)] + [(k, k + 1) for k in range(1000, 1999)]
    network = Network("x", found, tuple(Edge(f"l{source}", f"l{target}") for source, target in pairs))
    tracemalloc.start()
    try:
        assert network.folded()[1] == []
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


def test_links_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tuple(Layer(f"l{k}", "x", "panel", (1,), (1, 1, 1)) for k in range(4))
    network = Network("x", found, tuple(Edge(f"l{k}", "l3") for k in range(3)))
    monkeypatch.setattr(data_model, "MAX_LINKS", 3)
    assert network.folded()[1] == [(0, 3), (1, 3), (2, 3)]
    monkeypatch.setattr(data_model, "MAX_LINKS", 2)
    with pytest.raises(RecordingError, match="network 'x': more than 2 links between its panels"):
        network.folded()
