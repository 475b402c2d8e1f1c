"""Recordings of made-up networks with several inputs and outputs: like CLIP, BERT, a detector, an LSTM and others."""

from collections.abc import Sequence

import numpy as np

from innerwalk.torch_bridge.recording import Edge, Endpoint, Layer, Maps, Network, Prediction, Recording, pack

WORDS = ("[CLS]", "a", "small", "grey", "cat", "sleeps", "on", "the", "sofa", "[SEP]")


def _recording(
    name: str, panels: Sequence[tuple[str, str]], edges: str, inputs: Sequence[Endpoint], outputs: Sequence[Endpoint]
) -> Recording:
    """A recording with maps of noise. panels: ids and kinds, in order. edges: "a>b b>c", by ids."""
    ends = [(own.layer, "input") for own in inputs], [(own.layer, "output") for own in outputs]
    layers = [Layer(id, role, role, (4, 6, 6), (4, 6, 6)) for id, role in ends[0]]
    layers += [Layer(id, kind, "panel", (4, 6, 6), (4, 6, 6), shows=id) for id, kind in panels]
    layers += [Layer(id, role, role, (4,), (4, 1, 1)) for id, role in ends[1]]
    links = tuple(Edge(*pair.split(">")) for pair in edges.split())
    rng = np.random.default_rng(0)
    maps = [Maps(id, "activations", pack(rng.normal(size=(4, 6, 6)).astype(np.float32)), 4) for id, _ in panels]
    own = inputs[0].pixels
    picture = np.zeros((8, 8, 3), np.uint8) if own is None else own[0]
    found = Recording(Network(name, tuple(layers), links, trained=True), inputs[0].source, picture, Prediction())
    found.inputs, found.outputs = tuple(inputs), tuple(outputs)
    found.add(maps)
    return found


def photograph(seed: int = 0) -> np.ndarray:
    """One picture of soft colours, (1, 48, 48, 3) uint8 sRGB."""
    y, x = np.mgrid[0:48, 0:48] / 47
    planes = [x, y, 0.5 + 0.5 * np.sin(9 * (x + y) + seed)]
    return (np.stack(planes, -1)[None] * 255).astype(np.uint8)


def token_input(layer: str, name: str, words: Sequence[str] = WORDS) -> Endpoint:
    values = np.array([(k, 100 + k, 1.0) for k in range(len(words))], np.float32)
    return Endpoint(layer, name, "tokens", (1, len(words)), "int64", "text:…", labels=tuple(words), values=values)


def clip() -> Recording:
    inputs = (
        token_input("input", "input_ids"),
        Endpoint("input@2", "pixel_values", "picture", (1, 3, 48, 48), "float32", "cat.png", pixels=photograph()),
    )
    rng = np.random.default_rng(1)
    outputs = (
        Endpoint("output", "logits_per_image", "numbers", (1, 3), "float32", values=np.array([[7.5, 2.0, -3.0]], "f4")),
        Endpoint(
            "output@2", "text_embeds", "embedding", (1, 64), "float32", values=rng.normal(size=(1, 64)).astype("f4")
        ),
        Endpoint(
            "output@3", "image_embeds", "embedding", (1, 64), "float32", values=rng.normal(size=(1, 64)).astype("f4")
        ),
    )
    panels = [(f"vision.{k}", "Conv2d") for k in range(3)] + [(f"text.{k}", "Linear") for k in range(3)]
    edges = (
        "input@2>vision.0 vision.0>vision.1 vision.1>vision.2 input>text.0 text.0>text.1 text.1>text.2 "
        "vision.2>output text.2>output text.2>output@2 vision.2>output@3"
    )
    return _recording("clip", panels, edges, inputs, outputs)


def bert() -> Recording:
    inputs = (
        token_input("input", "input_ids"),
        token_input("input@2", "attention_mask", ["1"] * len(WORDS)),
        token_input("input@3", "token_type_ids", ["0"] * len(WORDS)),
    )
    rows = [(k, 200 + k, 0.4 + 0.05 * k) for k in range(len(WORDS))]
    rng = np.random.default_rng(2)
    outputs = (
        Endpoint(
            "output", "logits", "tokens", (1, 10, 300), "float32", labels=WORDS, values=np.array(rows, np.float32)
        ),
        Endpoint(
            "output@2", "hidden_state", "sequence", (1, 10, 24), values=rng.normal(size=(10, 24)).astype(np.float32)
        ),
    )
    panels = [(id, "Linear") for id in ("embed", "block.0", "block.1", "head")]
    edges = (
        "input>embed input@2>block.0 input@2>block.1 input@3>embed embed>block.0 block.0>block.1 block.1>head "
        "head>output block.1>output@2"
    )
    return _recording("bert", panels, edges, inputs, outputs)


def detector() -> Recording:
    inputs = (Endpoint("input", "images", "picture", (1, 3, 48, 48), "float32", "street.png", pixels=photograph(2)),)
    boxes = np.array([(0.97, 0.1, 0.2, 0.5, 0.8), (0.61, 0.55, 0.3, 0.9, 0.7)], np.float32)
    shares = np.array([(3, 0.4), (1, 0.35), (0, 0.25)], np.float32)
    outputs = (
        Endpoint("output", "[0].boxes", "boxes", (2, 4), over="input", labels=("person", "car"), values=boxes),
        Endpoint(
            "output@2",
            "[0].masks",
            "mask",
            (2, 1, 48, 48),
            over="input",
            labels=("road", "car", "sky"),
            values=shares,
            pixels=255 - photograph(2),
        ),
    )
    panels = [(id, "Conv2d") for id in ("backbone.0", "backbone.1", "queries", "boxes", "masks")]
    edges = (
        "input>backbone.0 backbone.0>backbone.1 backbone.1>boxes backbone.1>masks queries>boxes boxes>output "
        "masks>output@2"
    )
    return _recording("detector", panels, edges, inputs, outputs)


def lstm() -> Recording:
    t = np.linspace(0, 20, 400)
    wave = np.stack([np.sin(t) * np.cos(0.2 * t) - 0.05, np.sin(t) * np.cos(0.2 * t) + 0.05]).astype(np.float32)
    state = np.random.default_rng(3).normal(size=(1, 16)).astype(np.float32)
    inputs = (
        Endpoint("input", "signal", "waveform", (1, 1, 16000), "float32", "word.wav", values=wave),
        Endpoint("input@2", "state", "numbers", (1, 1, 16), "float32", values=state),
    )
    shares = np.array([(4, 0.8), (2, 0.15), (7, 0.05)], np.float32)
    outputs = (
        Endpoint("output", "word", "classes", (1, 8), "float32", labels=("yes", "no", "stop"), values=shares),
        Endpoint("output@2", "state", "embedding", (1, 1, 16), "float32", values=state[:, ::-1]),
    )
    edges = "input>lstm input@2>lstm lstm>head head>output lstm>output@2"
    return _recording("lstm", [("lstm", "LSTM"), ("head", "Linear")], edges, inputs, outputs)


def volumes() -> Recording:
    z, y, x = np.mgrid[0:12, 0:20, 0:16]
    ball = ((z - 6) ** 2 + (y - 10) ** 2 / 3 + (x - 8) ** 2 / 2 < 30) * 200 + x * 2
    slices = np.repeat(ball[..., None], 3, -1).astype(np.uint8)
    features = np.random.default_rng(4).normal(size=(14, 7)).astype(np.float32)
    tones = np.repeat((255 - np.mgrid[0:32, 0:90][0] * 7 % 256)[None, ..., None], 3, -1).astype(np.uint8)
    edges_of_graph = np.array([(0, 1, 2, 3), (1, 2, 3, 0)], np.float32)
    inputs = (
        Endpoint("input", "scan", "volume", (1, 1, 12, 20, 16), "float32", "scan.nii", pixels=slices),
        Endpoint("input@2", "x", "graph", (14, 7), "float32", values=features),
        Endpoint("input@3", "edge_index", "graph", (2, 4), "int64", values=edges_of_graph),
        Endpoint("input@4", "mel", "spectrogram", (1, 80, 90), "float32", "word.wav", pixels=tones),
    )
    outputs = (Endpoint("output", "", "volume", (1, 1, 12, 20, 16), "float32", pixels=255 - slices),)
    panels = [("conv.0", "Conv3d"), ("conv.1", "Conv3d")]
    edges = "input>conv.0 input@2>conv.0 input@3>conv.0 input@4>conv.1 conv.0>conv.1 conv.1>output"
    return _recording("volumes", panels, edges, inputs, outputs)


def flows(count: int) -> Recording:
    """Like RAFT: two pictures, and a list of flows, each from a layer of its own."""
    inputs = tuple(
        Endpoint(layer, name, "picture", (1, 3, 48, 48), "float32", pixels=photograph(k))
        for k, (layer, name) in enumerate((("input", "first"), ("input@2", "second")))
    )
    outputs = tuple(
        Endpoint(f"output@{k + 2}", f"[{k}]", "flow", (1, 2, 48, 48), pixels=photograph() // (k + 1))
        for k in range(count)
    )
    steps = " ".join(f"step.{k}>step.{k + 1} step.{k}>output@{k + 2}" for k in range(count))
    panels = [(f"step.{k}", "Conv2d") for k in range(count + 1)]
    return _recording("flows", panels, f"input>step.0 input@2>step.0 {steps}", inputs, outputs)


ALL = {"clip": clip, "bert": bert, "detector": detector, "lstm": lstm, "volumes": volumes}
"""The recordings by name."""
