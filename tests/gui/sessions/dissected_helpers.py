"""Shared by sessions about what channels detect: a bridge with checkpoints of a network, and its dissection."""

from dataclasses import replace
from pathlib import Path

import bpy
import bridge_helpers as at
import session as rig

LAYERS = ("stage3.0:add", "stage3.1:add")
"""Layers that are dissected; the others have no labels."""
PARAMETERS = '{"count": 60}'
CHECKPOINTS = {"start": "object-epoch-00", "early": "object-epoch-01", "middle": "object-epoch-04"}
"""Weights of networks of the bridge by name; "mine" has those after all 12 epochs."""
EPOCHS = {"epoch 0": "start", "epoch 1": "early", "epoch 4": "middle", "epoch 12": "mine"}
"""Networks of a series by the labels of its entries."""


def begin() -> rig.Steps:
    """Installs the extension, starts a bridge and builds halls: that of "early", then that of "mine"."""
    rig.install()
    sidebar = at.addon("blender_addon.ui").registered("CLASSES")
    for kind in [kind for kind in sidebar if kind.__name__.endswith(("_PT_compare", "_PT_series"))]:
        bpy.utils.unregister_class(kind)
        kind.bl_options = set()  # open before they are drawn first: later Blender remembers them closed
        bpy.utils.register_class(kind)
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.view3d().space.shading.type = "WIREFRAME"
    at.fill_in({"mine": "object"} | dict.fromkeys(CHECKPOINTS, "object"), {"pictures": "concepts:object"})
    settings = at.addon("blender_addon.ui.bridge.settings").bridge_settings(bpy.context)
    weights = Path(at.addon("torch_bridge.concepts").__file__).parent / "weights"
    for name, file in CHECKPOINTS.items():
        settings.networks[name].weights = str(weights / f"{file}.safetensors")
    at.act("start_bridge")
    yield from at.ready()
    for name in ("early", "mine"):
        yield from at.built(name)


def dissected() -> rig.Steps:
    """Dissects two layers of the hall and waits for the labels."""
    at.act("ask_method", method="dissection", parameters=PARAMETERS, data="pictures", layers=" ".join(LAYERS))
    yield from rig.until("the labels", lambda: concepts() and at.job()["state"] == "done", 300)
    yield 0.3


def concepts() -> dict[str, dict[str, list[int]]]:
    """Channels of the hall by concept and layer."""
    return at.addon("blender_addon.scene.panels.label_search").concept_channels(bpy.context.scene)


def concept(layer: str, channel: int):
    """What a channel detects, None for nothing."""
    return at.addon("blender_addon.scene.panels.concepts").read_concepts(at.panels()[layer]).get(channel)


def telling() -> str:
    """The predicted class if some channels detect it, else the concept that most of them detect."""
    found, predicted = concepts(), at.answer()[0].split()[0]
    return max(sorted(found), key=lambda name: (name == predicted, sum(map(len, found[name].values()))))


def selected() -> tuple[str, int]:
    return tuple(at.addon("blender_addon.actions").selected(bpy.context.scene))


def values_of(hall) -> dict:
    """Texels of all panels of a hall, by the layer whose maps they show."""
    store = at.addon("blender_addon.scene.hall.store")
    return {layer: store.read_maps(panel, layer, "").texels for layer, panel in store.panels_by_layer(hall).items()}


def written_series(folder: Path) -> dict[str, dict]:
    """Writes what the network makes of its own input after some epochs as a series; returns its maps by label."""
    recording, written = at.addon("torch_bridge.recording"), {}
    bridge = at.live().link.bridge.new_connection()
    with recording.SeriesWriter(folder, "epoch") as writer:
        for label, network in EPOCHS.items():
            entry = bridge.record(network, ())
            writer.add(label, replace(entry, network=replace(entry.network, name="mine")))
            written[label] = at.of_recording(entry)
    return written


def recorded(network: str, ablate: dict | None = None) -> dict:
    """What the network makes of its own input without channels: its maps by layer."""
    return at.of_recording(at.live().link.bridge.new_connection().record(network, (), ablate=ablate))
