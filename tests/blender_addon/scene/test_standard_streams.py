"""Only one line of Blender's is kept from a terminal."""

import os
import threading

import pytest

pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.scene.view import standard_streams

WRITTEN = b"a\nEGL Error (0x3009): EGL_BAD_MATCH\nEGL Error (0x1)\n\r10 %\r20 %EGL Error (0x3009)\nb"
KEPT = b"a\nEGL Error (0x1)\n\r10 %\r20 %EGL Error (0x3009)\nb"


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_all_but_one_line_is_passed_on_whatever_its_pieces(size):
    (source, writer), (reader, target) = os.pipe(), os.pipe()
    thread = threading.Thread(target=standard_streams._pass_on, args=(source, target))
    thread.start()
    for place in range(0, len(WRITTEN), size):
        os.write(writer, WRITTEN[place : place + size])
    os.close(writer)
    thread.join()
    assert os.read(reader, 1000) == KEPT
    for end in (source, reader, target):
        os.close(end)


def test_standard_error_is_itself_again_after_an_error(capfd):
    with pytest.raises(ValueError, match="mine"), standard_streams.without_egl_errors():
        os.write(2, b"EGL Error (0x3009)\nmine\n")
        raise ValueError("mine")
    os.write(2, b"EGL Error (0x3009)\n")
    assert capfd.readouterr().err == "mine\nEGL Error (0x3009)\n"
