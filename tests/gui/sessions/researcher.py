"""A researcher's hour: own model and weights, own picture, Grad-CAM, a channel off, another network, a figure."""

import shutil
import subprocess
from pathlib import Path

import bpy
import bridge_helpers as at
import session as rig

MODULE = """
import torch
from torch import nn

def build():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, 2), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 5))
"""
WEIGHTS = """
import sys, torch, mine
torch.manual_seed(1)
state = {name: 0.2 * torch.randn_like(value) for name, value in mine.build().state_dict().items()}
torch.save(state, sys.argv[1])
"""
LAYER, CHANNEL = "2", 3


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    folder = Path("/tmp/own")
    folder.mkdir()
    (folder / "mine.py").write_text(MODULE)
    subprocess.run([rig.PYTHON, "-c", WEIGHTS, folder / "mine.pt"], cwd=folder, check=True, env={"PYTHONPATH": "."})
    yield from builds(folder)
    yield from places()
    yield from explains()
    yield from ablates()
    yield from compares()
    exports()


def builds(folder: Path) -> rig.Steps:
    settings = at.addon("blender_addon.ui.bridge.settings").bridge_settings(bpy.context)
    settings.python, actions = rig.PYTHON, ["Python"]
    settings.folder = str(folder)
    actions.append("the folder of the model")
    at.act("edit_list", which="networks", add=True)
    actions.append("+")
    network = settings.networks[0]
    network.model, network.weights = "mine:build", str(folder / "mine.pt")
    actions += ["the model", "its weights"]
    other = settings.networks.add()  # for the comparison, later
    other.name, other.model = "object", "object"
    yield 0.5
    rig.picture("1 filled in")
    place = yield from rig.button("innerwalk.start_bridge")
    yield from rig.click(place)
    actions.append("Start Networks")
    yield from at.ready()
    place = yield from rig.button("innerwalk.build_hall", "mine")
    yield from rig.click(place)
    actions.append("Build Hall")
    yield from rig.until("the hall", lambda: "innerwalk_network" in bpy.context.scene, 60)
    rig.report("actions to the hall", actions)
    yield from rig.settled()
    rig.picture("2 hall")


def places() -> rig.Steps:
    picture, before = rig.OUT / "parrot.jpg", at.values()
    shutil.copy(rig.DATA / "coral_images/parrot.jpg", picture)
    yield from at.placed(filepath=str(picture))
    rig.check("every panel shows the picture", at.unchanged(before, at.values()) == [])
    rig.report("answer", at.answer())


def explains() -> rig.Steps:
    at.act("choose_method", method="grad_cam")
    rig.region("UI").tag_redraw()
    yield 0.5
    place = yield from rig.button("innerwalk.ask_method")
    yield from rig.click(place)
    yield from rig.until("Grad-CAM", lambda: at.job()["state"] in ("done", "failed"), 120)
    rig.check("it is shown", at.job()["state"] == "done")
    yield from rig.settled()
    rig.picture("3 Grad-CAM")
    at.act("show_activations")
    yield 0.3


def ablates() -> rig.Steps:
    at.act("jump", layer=LAYER)
    yield 1.0
    yield from rig.click(at.tile(LAYER, CHANNEL))
    yield 0.5
    at.act("ablate_selected")
    yield from at.settled_input()
    rig.report("answer without a channel", at.answer())
    yield from rig.settled()
    rig.picture("4 channel off")
    at.act("restore_channels")
    yield from at.settled_input()


def compares() -> rig.Steps:
    hall = bpy.context.scene
    at.act("compare_network", network="object")
    found = lambda: any(holder.get("innerwalk_role") == "beside" for holder in hall.objects)  # noqa: E731
    yield from rig.until("the other network's hall", found, 60)
    yield from rig.settled()
    rig.picture("5 two networks")


def exports() -> None:
    file = rig.OUT / "figure.svg"
    with rig.view3d().context():
        bpy.ops.innerwalk.export_figure("EXEC_DEFAULT", filepath=str(file))
    rig.report("figure", file.read_text()[:400])
