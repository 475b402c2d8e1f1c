"""Blender's id of the extension: the key of its preferences and of its user folder."""

EXTENSION_ID = __package__.rpartition(".blender_addon")[0]
"""The package that Blender enabled, such as "bl_ext.user_default.innerwalk"."""
