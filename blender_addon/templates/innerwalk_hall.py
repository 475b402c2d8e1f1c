"""A network as a hall of feature maps: run this with Alt P, then change it."""

from pathlib import Path

import bpy

from ..scripting import Hall

# A network that comes with Innerwalk; or Hall.of("resnet50", weights="DEFAULT"),
# or your own "package.module:function". It runs in the preferences' Python.
hall = Hall.of("object")

# A picture of the network's own data set; or a file: hall.place("//parrot.jpg").
hall.place(data="object", index=7)

# What a method finds; hall.show_activations() shows the activations again.
hall.ask("grad_cam")

# Panels have the names of their layers; * stands for any letters.
hall["stage1.*"].hide()
hall["stage3.1:add"].scale(1.5).select()

# Colours, a picture of the whole network (preset="camera": of the scene as it
# is), and a file that opens without Innerwalk; both beside the saved .blend file.
hall.look(normalisation="layer", gain=1.5)
folder = Path(bpy.path.abspath("//") or bpy.app.tempdir)
hall.figure(folder / "hall.png", size=(960, 540))
hall.save(folder / "object_hall.blend")
