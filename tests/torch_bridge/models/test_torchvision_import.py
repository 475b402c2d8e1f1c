"""torchvision however it is installed, in any order and from any thread."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.models.torchvision_import import import_torchvision  # noqa: E402

FAILED_BEFORE = """
import torch
from innerwalk.torch_bridge.models.torchvision_import import import_torchvision
try:
    import torchvision
    state = "native"
except RuntimeError:
    state = "shim"
assert import_torchvision() == state, import_torchvision()
from torchvision.ops import nms
assert nms(torch.tensor([[0., 0, 2, 2], [0, 0, 2, 2.1]]), torch.tensor([.5, .9]), .5).tolist() == [1]
"""


def test_it_is_prepared_once_by_whoever_comes_first():
    with ThreadPoolExecutor(8) as pool:
        states = set(pool.map(lambda _: import_torchvision(), range(16)))
    assert len(states) == 1 and states <= {"native", "shim", "absent"}


def test_an_import_that_failed_before_is_mended():
    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")
    done = subprocess.run([sys.executable, "-c", FAILED_BEFORE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_broken_one_is_one_line(monkeypatch):
    from innerwalk.torch_bridge.models import torchvision_import
    from innerwalk.torch_bridge.recording.errors import ModelError

    def broken(name):
        raise AttributeError("no attribute 'register_fake'")

    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")
    monkeypatch.setattr(torchvision_import.importlib, "import_module", broken)
    with pytest.raises(ModelError, match=r"can't be imported \(no attribute .*; install the torchvision made"):
        torchvision_import._prepare()


BY_FACTORY = """
import sys
from innerwalk.torch_bridge.models.build import build_model
from innerwalk.torch_bridge.models.torchvision_import import import_torchvision
assert build_model("plain_nets:build").module.in_features == 2 and "torchvision" not in sys.modules
assert build_model("zoo_nets:build").module.fc.out_features == 3
assert import_torchvision() in ("native", "shim")
import torch
from torchvision.ops import nms, roi_align
assert nms(torch.tensor([[0., 0, 2, 2], [0, 0, 2, 2.1]]), torch.tensor([.5, .9]), .5).tolist() == [1]
assert roi_align(torch.ones(1, 1, 4, 4), [torch.tensor([[0., 0, 2, 2]])], 1).tolist() == [[[[1.0]]]]
assert not any(type(finder).__name__ == "_OperatorsFirst" for finder in sys.meta_path)
"""


def test_factories_of_libraries_that_import_it_work_and_others_dont_pay(tmp_path):
    """As timm and transformers do; torchvision is imported by them alone."""
    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")
    (tmp_path / "plain_nets.py").write_text("from torch import nn\ndef build(): return nn.Linear(2, 1)\n")
    (tmp_path / "zoo_nets.py").write_text(
        "import torchvision.transforms.functional\n"
        "def build():\n    from torchvision.models import resnet18\n    return resnet18(num_classes=3)\n"
    )
    done = subprocess.run([sys.executable, "-c", BY_FACTORY], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
