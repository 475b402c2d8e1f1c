"""Linear probes against their defining equations, sensitivities by loops, and the choice of a concept's pictures."""

import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge import concepts, data
from innerwalk.torch_bridge.directions import linear_probe
from innerwalk.torch_bridge.directions.class_sensitivity import ClassGradients, class_sensitivities
from innerwalk.torch_bridge.directions.concept_pictures import find_concept_pictures
from innerwalk.torch_bridge.directions.linear_probe import ProbeFit, chance_probability, fit_logistic
from innerwalk.torch_bridge.recording.errors import InputError


def returned(generator):
    try:
        while True:
            next(generator)
    except StopIteration as end:
        return end.value


def clouds(count=60, channels=5, distance=1.5):
    random = np.random.default_rng(0)
    labels = np.arange(count) < count // 2
    values = random.normal(size=(count, channels)) * [1, 2, 0.5, 1, 1][:channels] + 3
    values[labels, 0] += distance
    return values, labels


def test_logistic_regression_is_at_its_minimum():
    values, labels = clouds()
    weights, bias = fit_logistic(values, labels)
    gradient, free = linear_probe.PENALTY * weights, 0.0
    for x, label in zip(values, labels, strict=True):
        y = 1 if label else -1
        slope = -y / (1 + math.exp(y * (x @ weights + bias)))
        gradient, free = gradient + slope * x, free + slope
    assert np.abs(gradient).max() < 1e-6 and abs(free) < 1e-6


def test_a_separable_concept_has_a_finite_probe():
    values, labels = clouds(distance=1000)
    probe = ProbeFit(values).probe(labels)
    assert np.linalg.norm(probe.direction) == pytest.approx(1) and probe.direction[0] > 0.999
    assert ((values @ probe.direction > probe.threshold) == labels).all()


def test_the_probe_is_the_same_with_more_channels_than_pictures():
    """Further channels that are constant, rotated among the others, change nothing but the space."""
    values, labels = clouds(count=30)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(80, 80)))[0]
    wide = np.column_stack([values, np.full((30, 75), 7.0)]) @ rotation
    narrow, broad = ProbeFit(values).probe(labels), ProbeFit(wide).probe(labels)
    assert np.allclose(rotation @ broad.direction, [*narrow.direction, *[0] * 75], atol=1e-8)


def test_units_do_not_matter():
    values, labels = clouds()
    small, large = ProbeFit(values).probe(labels), ProbeFit(values * 1e6).probe(labels)
    assert np.allclose(small.direction, large.direction) and large.threshold == pytest.approx(small.threshold * 1e6)


def test_held_out_pictures_of_noise_are_at_chance():
    """With more channels than pictures any split can be learnt, but of held-out ones half are right by chance."""
    values = np.random.default_rng(2).normal(size=(200, 400))
    labels = np.arange(200) < 100
    fit = ProbeFit(values)
    probe = fit.probe(labels)
    assert ((values @ probe.direction > probe.threshold) == labels).mean() > 0.98
    correct = fit.held_out_correct(labels, np.random.default_rng(0))
    assert 75 < correct < 125 and fit.held_out_correct(labels, np.random.default_rng(0)) == correct
    values[:100, 3] += 20
    assert ProbeFit(values).held_out_correct(labels, np.random.default_rng(0)) == 200


def test_chance_by_counting():
    wanted = sum(bin(coins).count("1") >= 8 for coins in range(1 << 10)) / (1 << 10)
    assert chance_probability(8, 10) == wanted
    assert chance_probability(0, 10) == 1 and chance_probability(4000, 4000) == 0


def test_sensitivities_by_loops():
    random = np.random.default_rng(0)
    gradients, classes = random.normal(size=(30, 4)).astype(np.float32), np.array([0] * 12 + [2] * 14 + [1] * 4)
    directions = random.normal(size=(21, 4))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    measured = ClassGradients(np.arange(30), classes, ("a", "b", "c"), {}, {"l": gradients})
    found = class_sensitivities(measured, "l", directions[0], directions[1:])
    assert [each.name for each in found] == ["a", "c"]  # of b there are too few
    for each, own in zip(found, (gradients[:12], gradients[12:26]), strict=True):
        shares = [sum(float(g @ d) > 0 for g in own) / len(own) for d in directions]
        sizes = [abs(sum(float(g @ d) for g in own)) for d in directions]
        assert each.share == pytest.approx(shares[0]) and each.random_share == pytest.approx(np.mean(shares[1:]))
        assert each.p_value == (1 + sum(size >= sizes[0] for size in sizes[1:])) / 21


def test_labels_of_concepts_have_different_names_and_are_those_of_the_pixels():
    pictures = data.open_data("concepts:object")
    assert len({name for _, name in concepts.ALL_CONCEPTS}) == len(concepts.ALL_CONCEPTS)
    with_it, without = returned(find_concept_pictures(pictures, "stripes", "", 12, 5))
    for side, wanted in ((with_it, True), (without, False)):
        assert len(side.indices) == len(set(side.indices)) == 12
        for index in side.indices:
            texture = concepts.sample(0, concepts.SPLITS["validation"], index, task="object").maps[4]
            share = (texture == concepts.CONCEPTS["texture"].index("stripes") + 1).mean()
            assert share >= 0.02 if wanted else share == 0
    stars, _ = returned(find_concept_pictures(pictures, "star", "ring", 12, 5))
    assert {pictures.label(index) for index in stars.indices} == {pictures.classes.index("star")}


def test_a_label_that_no_picture_shows():
    with pytest.raises(InputError, match="crescent: 0 pictures|crescent: [0-9] pictures"):
        pictures = data.open_data("concepts:object")
        pictures.labels = pictures.labels[:20]
        returned(find_concept_pictures(pictures, "crescent", "", 12, 0))


@pytest.mark.parametrize("place", ["x" * 5000, "~nobody-at-all", "a\0b", "/dev/zero", "~/" * 300])
def test_places_that_cant_be_are_refused_in_one_line(place):
    for read in (lambda: returned(find_concept_pictures(None, place, place, 12, 0)), lambda: data.open_data(place)):
        with pytest.raises(InputError, match="no such folder") as error:
            read()
        assert "\n" not in str(error.value)
