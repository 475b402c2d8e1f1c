"""Trainings of a study: the same bits after a stop, strategies that do what they say, files that are refused."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="networks are trained with torch")

import torch

from innerwalk.torch_bridge.data import open_data
from innerwalk.torch_bridge.recording.errors import InputError
from innerwalk.torch_bridge.recording.safetensors import open_arrays
from innerwalk.torch_bridge.study.strategies import COPIES, TrainingSamples, default_settings
from innerwalk.torch_bridge.study.study_pictures import read_pictures
from innerwalk.torch_bridge.study.study_training import (
    resume_training,
    save_training,
    start_training,
    train_on,
    training_accuracy,
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


def test_strategies_do_what_they_say(pictures):
    true = pictures.train.labels
    standard, shuffled, noisy = (
        TrainingSamples(pictures, default_settings(name)) for name in ("standard", "shuffled", "noisy")
    )
    assert torch.equal(standard.labels, true)
    assert not torch.equal(shuffled.labels, true) and torch.equal(shuffled.labels.sort()[0], true.sort()[0])
    count = len(true)
    assert len(noisy) == (1 + COPIES) * count and torch.equal(noisy.labels[:count], true)
    right = (noisy.labels[count:].reshape(COPIES, count) == true).float().mean()
    assert 0.2 < right < 0.5  # random labels of three classes
    first = torch.arange(count)
    plain = noisy.inputs(first)
    assert torch.equal(plain, standard.inputs(first))
    noise = noisy.inputs(first + count) - plain
    assert abs(float(noise.mean())) < 0.01 and abs(float(noise.std()) - 1) < 0.01
    assert torch.equal(noisy.inputs(first + count) - plain, noise)  # the same in every epoch
    assert not torch.equal(noisy.inputs(first + 2 * count) - plain, noise)


def test_only_the_standard_training_moves_pictures(pictures):
    indices = torch.arange(8)
    for name in ("standard", "shuffled", "noisy", "plain"):
        samples = TrainingSamples(pictures, default_settings(name))
        moved = samples.inputs(indices, torch.Generator().manual_seed(1))
        assert torch.equal(moved, samples.inputs(indices)) == (name != "standard")


def test_the_split_is_stratified_and_has_no_picture_twice(pictures):
    assert pictures.train.labels.bincount().tolist() == [8, 8, 8]
    assert pictures.test.labels.bincount().tolist() == [2, 2, 2] and len({*pictures.places}) == 6
    values = pictures.normalised(pictures.train.images)
    assert torch.allclose(values.mean((0, 2, 3)), torch.zeros(3), atol=1e-3)
    assert torch.allclose(values.std((0, 2, 3)), torch.ones(3), atol=1e-2)


def test_a_network_fits_true_and_shuffled_labels(pictures, tmp_path):
    for name in ("standard", "shuffled"):
        settings = replace(default_settings(name, 60), rate=0.02, batch=8)
        training = start_training(small, 3, settings)
        train_on(training, pictures, tmp_path / name, quiet)
        samples = TrainingSamples(pictures, settings)
        assert training_accuracy(training.model, samples, samples.labels) > 0.95
    assert training_accuracy(training.model, samples, pictures.train.labels) < 0.8  # they were shuffled


def test_other_settings_and_damaged_files_are_one_line(pictures, tmp_path):
    path = tmp_path / "checkpoint"
    save_training(start_training(small, 3, default_settings("standard", 3)), path)
    with pytest.raises(InputError, match=r"trained with other settings: epochs \(3\); name the same, or a new folder"):
        resume_training(start_training(small, 3, default_settings("standard", 4)), path)
    with pytest.raises(InputError, match="a training of another network; name a new folder"):
        resume_training(start_training(small, 4, default_settings("standard", 3)), path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="no training that can go on .*; remove it to train anew"):
        resume_training(start_training(small, 3, default_settings("standard", 3)), path)
