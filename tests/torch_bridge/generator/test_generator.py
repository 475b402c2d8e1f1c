"""The shipped generator and segmenter: exact labels of coded pictures, their weights, and their training."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs PyTorch")

import torch

from innerwalk.torch_bridge import generator, shipped_networks
from innerwalk.torch_bridge.concepts.concepts_training import to_network_input
from innerwalk.torch_bridge.concepts.weight_files import read_metadata
from innerwalk.torch_bridge.generator import train
from innerwalk.torch_bridge.generator.coded_pictures import CHOICES, PAINTS_OF_OBJECTS
from innerwalk.torch_bridge.generator.generator_training import (
    GeneratorTraining,
    concept_ious,
    make_coded_pictures,
    segment,
)
from innerwalk.torch_bridge.recording.errors import UnknownName

MEASURED = 120


@pytest.fixture(scope="module")
def pictures():
    return make_coded_pictures(2, MEASURED, 0, lambda: None)


def test_a_code_says_what_is_painted():
    code = np.zeros(generator.CODE_LENGTH, np.float32)
    code[4], code[CHOICES["object"] + 1] = 3, 3  # ring, hills
    code[sum(list(CHOICES.values())[:2]) + 3] = 3  # the fourth paint
    picture = generator.paint_code(code)
    names = [generator.CONCEPT_NAMES[k] for k in np.unique(picture.shown)]
    assert names == ["hills", "ring"] and set(np.unique(picture.maps[1])) == {0, 5}
    assert set(np.unique(picture.maps[5][picture.maps[1] == 5])) == {PAINTS_OF_OBJECTS[3] + 1}
    code[CHOICES["object"] - 1] = 9  # the last bid is that for none
    assert not generator.paint_code(code).maps[1].any()


def test_codes_are_normal_and_repeat():
    codes = np.stack([generator.draw_code(0, 0, index) for index in range(400)])
    assert abs(codes.mean()) < 0.03 and abs(codes.std() - 1) < 0.03
    assert np.array_equal(codes[7], generator.draw_code(0, 0, 7)) and not np.array_equal(codes[7], codes[8])


def test_the_segmenter_and_the_generator_do_what_their_card_says(pictures):
    ious = concept_ious(segment(generator.load("segmenter"), to_network_input(pictures.images)), pictures.shown)
    assert min(ious.values()) > 0.9
    drawn = train.draw(generator.load(), pictures.codes)
    found = concept_ious(segment(generator.load("segmenter"), drawn), pictures.shown)
    stated = json.loads(read_metadata(generator.weights_path("generator"))["iou"])
    assert np.mean(list(found.values())) > np.mean(list(stated.values())) - 0.08


def test_the_weights_are_small():
    assert sum(generator.weights_path(part).stat().st_size for part in generator.PARTS) <= 2_000_000


@pytest.mark.parametrize("part", generator.PARTS)
def test_a_short_training_repeats(part, tmp_path, capsys):
    settings = GeneratorTraining(pictures=64, steps=2, batch=16)
    states = []
    for name in ("a", "b"):
        train.train_to_folder(part, settings, tmp_path / name, measured=4)
        states.append((tmp_path / name / f"{part}.safetensors").read_bytes())
    assert states[0] == states[1] and "ring" in capsys.readouterr().err


def test_it_is_served_by_its_name():
    assert shipped_networks.network_fields("generator")["inputs"] == ("noise:1",)
    assert shipped_networks.default_picture("segmenter")[1].shape == (64, 64, 3)
    with pytest.raises(UnknownName, match="no network of generator 'painter'"):
        generator.load("painter")
    assert torch.isfinite(generator.load()(torch.zeros(1, generator.CODE_LENGTH))).all()
