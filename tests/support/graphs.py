"""Graphs to lay out: a hundred models of tests/support/graphs.json.gz (see make_graphs.py), and extreme ones."""

import gzip
import json
from functools import cache
from pathlib import Path

from innerwalk.blender_addon import layout
from innerwalk.blender_addon.layout import camera_presets
from innerwalk.blender_addon.layout.hall_model import HallLayout
from innerwalk.blender_addon.layout.view import View
from innerwalk.torch_bridge.recording import Layer

WIDTH, HEIGHT = 1920, 1080
Graph = tuple[list[Layer], list[tuple[int, int]]]


def panel(id: str, shape: tuple[int, int, int], kind: str = "Conv2d", role: str = "panel") -> Layer:
    return Layer(id, kind, role, shape, shape)


def chain(count: int, shape: tuple[int, int, int] = (64, 28, 28)) -> Graph:
    """One panel behind the other."""
    layers = [panel(f"part{k // 10}.block{k // 3 % 4}.conv{k}", shape) for k in range(count)]
    return layers, [(k, k + 1) for k in range(count - 1)]


def branches(width: int, depth: int) -> Graph:
    """A stem, parallel branches of equal depth, then a joint and a head."""
    layers, links, ends = [panel("stem", (16, 32, 32))], [], []
    for branch in range(width):
        before = 0
        for step in range(depth):
            layers.append(panel(f"branch{branch}.conv{step}", (8 * 2 ** (branch % 5), 32, 32)))
            links.append((before, before := len(layers) - 1))
        ends.append(before)
    layers += [panel(":cat", (64, 32, 32), "cat", "joint"), panel("head", (10, 1, 1), "Linear")]
    return layers, links + [(end, len(layers) - 2) for end in ends] + [(len(layers) - 2, len(layers) - 1)]


def dense(count: int) -> Graph:
    """Each panel reads a joint of everything before it."""
    layers, links, known = [panel("stem", (24, 16, 16))], [], [0]
    for k in range(count):
        layers.append(panel(f"layer{k}:cat", (24 + 12 * k, 16, 16), "cat", "joint"))
        links += [(source, len(layers) - 1) for source in known] if k else [(0, len(layers) - 1)]
        layers.append(panel(f"layer{k}.conv", (12, 16, 16)))
        links.append((len(layers) - 2, len(layers) - 1))
        known.append(len(layers) - 1)
    return layers, links


def many_inputs(count: int) -> Graph:
    """`count` panels without inputs, added one after the other."""
    layers, links = [panel(f"input{k}.conv", (32, 20, 20)) for k in range(count)], []
    before = 0
    for k in range(1, count):
        layers.append(panel(f":add{k}", (32, 20, 20), "add"))
        links += [(before, len(layers) - 1), (k, before := len(layers) - 1)]
    return layers, links


EXTREMES: dict[str, Graph] = {
    "one panel": chain(1),
    "one joint": ([panel("a", (3, 8, 8)), panel(":cat", (3, 8, 8), "cat", "joint")], [(0, 1)]),
    "one channel": chain(12, (1, 64, 64)),
    "2048 channels": chain(9, (2048, 7, 7)),
    "16384 channels": chain(3, (16384, 2, 2)),
    "wide maps": chain(7, (32, 4, 4000)),
    "tall maps": chain(7, (32, 4000, 4)),
    "rows": chain(8, (64, 1, 300)),
    "vectors": chain(8, (1000, 1, 1)),
    "huge vectors": chain(4, (25088, 1, 1)),
    "no values": chain(3, (4, 0, 4)),
    "branches": branches(9, 4),
    "dense": dense(60),
    "many inputs": many_inputs(24),
    "apart": ([panel(f"m{k}", (16, 8, 8)) for k in range(20)], []),
}


@cache
def models() -> dict[str, Graph]:
    """The folded graphs by model, as `Network.folded()` gives them."""
    content = json.loads(gzip.decompress((Path(__file__).parent / "graphs.json.gz").read_bytes()))
    return {
        name: (
            [panel(row[0], tuple(row[3:]), row[1], row[2]) for row in stored["layers"]],
            [tuple(link) for link in stored["links"]],
        )
        for name, stored in content.items()
    }


@cache
def names() -> tuple[str, ...]:
    """All graphs: models and extremes."""
    return (*models(), *EXTREMES)


def graph(name: str) -> Graph:
    return EXTREMES[name] if name in EXTREMES else models()[name]


@cache
def walk(name: str) -> HallLayout:
    return layout.lay_out(*graph(name))


@cache
def figure(name: str) -> tuple[HallLayout, View]:
    hall = layout.lay_out_figure(*graph(name), WIDTH, HEIGHT)
    return hall, camera_presets.overview(hall, WIDTH, HEIGHT)
