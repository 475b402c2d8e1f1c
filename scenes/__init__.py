"""The command line, and recipes that turn recordings into Blender files, figures and answers."""

__all__: list[str] = []
