"""Trainings of a study: the same bits after a stop, strategies that do what they say, files that are refused."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="networks are trained with torch")

import torch

from innerwalk.torch_bridge.data import open_data
from innerwalk.torch_bridge.recording.safetensors import open_arrays
from innerwalk.torch_bridge.study.strategies import default_settings
from innerwalk.torch_bridge.study.study_pictures import read_pictures
from innerwalk.torch_bridge.study.study_training import (
    resume_training,
    start_training,
    train_on,
)


def quiet(*_):
    pass


@pytest.fixture(scope="module")
def pictures():
    return read_pictures(open_data("concepts:object:train"), (32, 32), ("circle", "square", "star"), 30, quiet)


def small(classes):
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 5, 2, bias=False),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(4),
        torch.nn.Flatten(),
        torch.nn.Linear(128, classes),
    )


@pytest.mark.parametrize("strategy", ["standard", "shuffled", "noisy"])
def test_a_stopped_training_goes_on_with_the_same_bits(pictures, tmp_path, strategy):
    settings = default_settings(strategy, 3)
    whole, begun = (start_training(small, 3, settings) for _ in range(2))
    train_on(whole, pictures, tmp_path / "whole", quiet)
    train_on(begun, pictures, tmp_path / "part", quiet, seconds=1e-9)
    for _ in range(3):  # one epoch each
        begun = start_training(small, 3, settings)
        if (tmp_path / "part").exists():
            resume_training(begun, tmp_path / "part")
        done = len(begun.epochs)
        train_on(begun, pictures, tmp_path / "part", quiet, seconds=0.0001)
        assert len(begun.epochs) == done + 1
    first, second = (open_arrays(tmp_path / name)[0] for name in ("whole", "part"))
    assert begun.is_done and first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    losses = [[epoch["loss"] for epoch in training.epochs] for training in (whole, begun)]
    assert losses[0] == losses[1]
