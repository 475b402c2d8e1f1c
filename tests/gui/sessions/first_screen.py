"""The first screen without a Python that has PyTorch, its search of models, wrong paths, and the demo by one click."""

import bpy
import bridge_helpers as at
import session as rig


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    forms = at.addon("blender_addon.ui.bridge.settings")
    rig.check("no Python is found in this root", forms.default_python() == "")
    yield 0.5
    rig.picture("nothing found")
    yield from sets_up()
    yield from finds(forms)
    yield from opens()


def sets_up() -> rig.Steps:
    """Blender is offline here: the button says so; where it may go online, it asks before it downloads."""
    rig.check("offline, it is not offered", not bpy.ops.innerwalk.set_up_python.poll())
    place = yield from rig.button("innerwalk.copy_command", right=0.3)
    yield from rig.click(place)
    manager = bpy.context.window_manager
    rig.check("the line is copied", "pip install torch" in manager.clipboard)
    bpy.context.preferences.system.use_online_access = True
    rig.check("online, it is", bpy.ops.innerwalk.set_up_python.poll())
    at.act("set_up_python")
    yield 0.5
    rig.picture("asks")
    form = at.addon("blender_addon.ui.bridge.python_form")
    rig.check("nothing is done before the answer", form._running == [])
    yield from rig.press("ESC", rig.middle(rig.view3d().region))
    yield 0.3
    bpy.context.preferences.system.use_online_access = False


def finds(forms) -> rig.Steps:
    settings = forms.bridge_settings(bpy.context)
    at.act("edit_list", which="networks", add=True)
    rig.check("a network is listed", len(settings.networks) == 1)
    network = settings.networks[0]
    settings.python = f' "{rig.PYTHON}" '
    found = forms._suggest_models(network, bpy.context, "squee")
    rig.check("squee finds SqueezeNet", "squeezenet1_0" in found)
    rig.report("found", found)
    network.model, network.weights = "squeezenet1_0", "/"
    try:
        at.act("start_bridge")
        rig.check("a folder of no weights is refused", False)
    except RuntimeError as error:
        rig.check("a folder of no weights is refused in one line", "choose the file" in str(error))
    network.model, network.weights = "object", ""
    at.act("start_bridge")
    yield from at.ready()
    at.act("leave_bridge")
    settings.python = "/none/python"
    try:
        at.act("start_bridge")
    except RuntimeError as error:
        rig.report("refused", str(error))
    yield 0.3
    rig.picture("refused")
    settings.python = rig.PYTHON
    rig.check("no message outlives its cause", not at.live().shown_error)
    yield 0.3
    rig.picture("filled in")


def opens() -> rig.Steps:
    place = yield from rig.button("innerwalk.open_demo")
    yield from rig.click(place)
    yield from rig.until("the demo", lambda: "innerwalk_hall" in bpy.context.scene, 60)
    yield from rig.settled()
    rig.picture("demo")
