"""Devices by name; torch leaves a core to Blender where there is more than one."""

import pytest

torch = pytest.importorskip("torch")

from innerwalk.torch_bridge.models.device import choose_device, leave_one_core_free  # noqa: E402
from innerwalk.torch_bridge.recording.errors import ModelError  # noqa: E402


@pytest.mark.parametrize(("threads", "left"), [(3, 2), (2, 1), (1, 1)])
def test_torch_takes_a_core_less(threads, left):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        leave_one_core_free()
        assert torch.get_num_threads() == left
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    "name", ["meta", "warp", "cpu:x", "cuda:99999999999999999999", "cpu\0", "hpu", " cpu", "mps:1:2"]
)
def test_devices_that_cannot_compute(name):
    with pytest.raises(ModelError, match="can't be used here") as caught:
        choose_device(name)
    assert "cpu" in str(caught.value) and "\n" not in str(caught.value)


def test_the_processor_can():
    assert choose_device("cpu").type == "cpu"
