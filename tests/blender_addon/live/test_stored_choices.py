"""Choices that a stranger's .blend file holds in its scene: read, or refused in one line."""

import pytest

from innerwalk.torch_bridge.recording.errors import SceneError

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.live import stored_choices  # noqa: E402
from innerwalk.blender_addon.properties import ABLATED_CHANNELS, CHOSEN_POSITIONS, SHELF_CONTENT  # noqa: E402

READERS = {
    ABLATED_CHANNELS: (stored_choices.ablated_channels, '{"a": [0, 2]}', ['{"a": 1}', '{"a": [-1]}', '{"a": ["0"]}']),
    CHOSEN_POSITIONS: (stored_choices.chosen_positions, '{"a": 3}', ['{"a": [1]}', '{"a": -1}', '{"a": true}']),
    SHELF_CONTENT: (
        stored_choices.shelved,
        '{"set": "objects", "class": "", "seed": 4, "indices": [1, 2]}',
        ['{"set": 1, "class": "", "seed": 4, "indices": []}', '{"set": "a", "class": ""}', '{"page": 1e9}'],
    ),
}
"""Property -> its reader, a right text, and wrong ones."""


@pytest.mark.parametrize("key", READERS)
def test_only_what_innerwalk_writes_is_read(empty_scene, key):
    read, right, wrong = READERS[key]
    assert read(empty_scene) == {}
    empty_scene[key] = right
    assert len(read(empty_scene)) in (1, 4)
    for value in (*wrong, "", "{", "[]", "7", "[" * 100_000, 7, [1, 2]):
        empty_scene[key] = value
        with pytest.raises(SceneError, match=f"scene 'Scene': property {key} is damaged; remove it") as caught:
            read(empty_scene)
        assert str(caught.value).isprintable()
