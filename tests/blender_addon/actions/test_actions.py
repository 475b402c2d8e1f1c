"""Every operator runs the function of `actions` that has its name, with its properties as arguments."""

import inspect

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions, ui  # noqa: E402

OPERATORS = [
    kind
    for module in ui.MODULES
    for kind in getattr(module, "CLASSES", ())
    if issubclass(kind, bpy.types.Operator) and "INTERNAL" not in getattr(kind, "bl_options", ())
]


def properties(kind) -> set[str]:
    """Names of an operator's properties, without those of Blender's own dialogs."""
    named = {name for base in kind.__mro__ for name in getattr(base, "__annotations__", {})}
    return {name for name in named if not name.startswith("filter_")}


POINTING = ("probe",)
"""These take their arguments from under the cursor."""


@pytest.mark.parametrize("kind", OPERATORS, ids=lambda kind: kind.bl_idname)
def test_an_operator_is_a_function(kind):
    name = kind.bl_idname.partition(".")[2]
    assert name in actions.__all__
    parameters = set(inspect.signature(getattr(actions, name)).parameters) - {"scene", "progress"}
    assert properties(kind) == (set() if name in POINTING else parameters)


@pytest.mark.parametrize("kind", OPERATORS, ids=lambda kind: kind.bl_idname)
def test_an_operator_says_what_it_does(kind):
    assert (kind.__doc__ or getattr(kind, "bl_description", "")).strip() and kind.bl_label
    bare = [name for name, definition in annotated(kind) if not definition.keywords.get("description")]
    assert not bare, bare


def annotated(kind):
    """(name, deferred property) of each property that a person can fill in."""
    for base in kind.__mro__:
        for name, definition in inspect.get_annotations(base, eval_str=True).items():
            if not name.startswith("filter_") and hasattr(definition, "keywords"):
                yield name, definition
