"""Torch leaves a core to Blender where there is more than one."""

import pytest

torch = pytest.importorskip("torch")

from innerwalk.torch_bridge.models.device import leave_one_core_free  # noqa: E402


@pytest.mark.parametrize(("threads", "left"), [(3, 2), (2, 1), (1, 1)])
def test_torch_takes_a_core_less(threads, left):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        leave_one_core_free()
        assert torch.get_num_threads() == left
    finally:
        torch.set_num_threads(before)
