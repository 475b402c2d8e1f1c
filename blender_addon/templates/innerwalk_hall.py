"""A network as a hall of feature maps. Run this script with Alt P, then change it and run it again."""

from pathlib import Path

import bpy

from ..scripting import Hall

# A network that comes with Innerwalk; or one of torchvision, such as Hall.of("resnet50", weights="DEFAULT"), or your
# own "package.module:function". It runs beside Blender, in the Python that the extension's preferences name.
hall = Hall.of("object")

# Another input: here a picture of the network's own data set; or a file, such as hall.place("//parrot.jpg").
hall.place(data="object", index=7)

# What a method finds, in place of the activations that hall.show_activations() brings back.
hall.ask("grad_cam")

# Panels have the names of their layers; * stands for any letters.
hall["stage1.*"].hide()
hall["stage3.1:add"].scale(1.5).select()

# Colours; a picture of the whole network, or with preset="camera" of the scene as it is; and a file that opens without
# Innerwalk. They lie beside this .blend file once it has been saved, until then in Blender's temporary folder.
hall.look(normalisation="layer", gain=1.5)
folder = Path(bpy.path.abspath("//") or bpy.app.tempdir)
hall.figure(folder / "hall.png", size=(960, 540))
hall.save(folder / "object_hall.blend")
