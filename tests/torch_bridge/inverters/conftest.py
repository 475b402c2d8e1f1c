"""Fixtures: a small network and a folder of pictures, to train inverters on."""

import sys

import pytest
from PIL import Image

from innerwalk.torch_bridge import concepts

NETWORK_SOURCE = """
import torch
from torch import nn

def build():
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 6, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                         nn.Linear(96, 5))
"""


@pytest.fixture
def own_network(tmp_path, monkeypatch):
    """The current folder, with a module own_tiny whose network takes 16 × 16, and a folder of pictures."""
    (tmp_path / "own_tiny.py").write_text(NETWORK_SOURCE)
    monkeypatch.delitem(sys.modules, "own_tiny", raising=False)  # of the test before, in another folder
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("innerwalk.torch_bridge.inputs.input_adapter.SIDES", (16,))
    (tmp_path / "pictures").mkdir()
    for k in range(24):
        Image.fromarray(concepts.picture(k)).resize((16, 16)).save(tmp_path / "pictures" / f"{k:02d}.png")
    return tmp_path


@pytest.fixture
def training_arguments():
    """Arguments that train an inverter of the small network's last convolution, all but the output file."""
    return ["own_tiny:build", "3", "--data", "pictures", "--epochs", "2", "--batch", "8", "--width", "4"]
