"""Words of the interface in the language that Blender is set to: `ui/translations/LANGUAGE.json` holds them.

Blender itself looks up labels, tooltips and plain texts of layouts; these functions do it for what it doesn't see.
"""

from __future__ import annotations

from typing import Any

import bpy

CONTEXT = "Innerwalk"
"""Where Blender looks Innerwalk's words up, so that its own "Layer" is another word."""


def translated(template: str, **values: Any) -> str:
    """Returns a text in Blender's language, with values in place of its names in braces."""
    return bpy.app.translations.pgettext_iface(template, CONTEXT).format(**values)


def translatable(text: str) -> str:
    """Returns the text itself: marks one that a layout gets as a variable, so that a test asks for its translation."""
    return text
