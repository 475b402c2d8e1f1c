"""Perturbations of a layer's maps, natural image priors, and distances of pictures."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from innerwalk.torch_bridge.inverters.distances import mean_pair_distance  # noqa: E402
from innerwalk.torch_bridge.inverters.image_priors import alpha_norm, total_variation  # noqa: E402
from innerwalk.torch_bridge.inverters.perturbations import keep_only, perturb_maps  # noqa: E402


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def some_maps(relu=True):
    values = torch.randn(3, 6, 5, 4, generator=random(1)) * torch.tensor([1.0, 10.0, 0.1]).reshape(3, 1, 1, 1)
    return values.relu() if relu else values


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("perturbation", ["binarise", "dropout"])
def test_each_sample_keeps_its_norm_and_its_signs(perturbation, relu):
    maps = some_maps(relu)
    result = perturb_maps(maps, perturbation, random())
    norms = [tensor.flatten(1).double().norm(dim=1) for tensor in (maps, result)]
    assert torch.allclose(norms[1] / norms[0], torch.ones(3, dtype=torch.float64), atol=1e-6)
    assert not torch.allclose(result, maps, atol=1e-2)
    kept = result != 0
    assert torch.equal(result[kept].sign(), maps[kept].sign())
    if perturbation == "binarise":
        assert torch.equal(kept, maps != 0)
        assert all(len(sample[sample != 0].abs().unique()) == 1 for sample in result)


def test_half_of_all_values_is_dropped():
    maps = some_maps(relu=False)
    names = ("drop_least", "drop_top", "dropout")
    least, top, dropped = (perturb_maps(maps, perturbation, random()) for perturbation in names)
    for result in (least, top, dropped):
        assert [int((sample != 0).sum()) for sample in result] == [60, 60, 60]
    assert torch.equal(least + top, maps)  # each keeps what the other drops
    for sample, rest in zip(least, top, strict=True):
        assert sample[sample != 0].abs().min() >= rest.abs().max()
    scaled = dropped[dropped != 0] / maps[dropped != 0]
    assert scaled.min() > 1 and not torch.equal(dropped[0] != 0, dropped[1] != 0)


def test_dropping_the_least_of_sparse_maps_changes_nothing():
    maps = some_maps() * (torch.rand(3, 6, 5, 4, generator=random(3)) < 0.5)
    assert (maps != 0).float().mean() < 0.5
    assert torch.equal(perturb_maps(maps, "drop_least", random()), maps)


def test_half_of_the_values_that_are_not_zero():
    maps = some_maps(relu=False) * (torch.rand(3, 6, 5, 4, generator=random(3)) < 0.15)
    counts = [int((sample != 0).sum()) for sample in maps]
    assert max(counts) < 30 and len(set(counts)) > 1
    least, top, dropped = (
        perturb_maps(maps, name, random(), half_of="nonzero") for name in ("drop_least", "drop_top", "dropout")
    )
    for result in (least, top, dropped):
        assert [int((sample != 0).sum()) for sample in result] == [-(-count // 2) for count in counts]
    for sample, kept in zip(maps, least, strict=True):
        assert kept[kept != 0].abs().min() >= sample[kept == 0].abs().max()
    for sample, kept in zip(maps, top, strict=True):
        assert kept.abs().max() <= sample[kept == 0].abs().max()
    assert torch.allclose(dropped.flatten(1).norm(dim=1), maps.flatten(1).norm(dim=1), rtol=1e-5)
    assert not perturb_maps(maps, "drop_top", random()).any()  # half of all values: all that aren't 0


def test_importance_may_differ_from_size():
    maps = some_maps(relu=False)
    result = perturb_maps(maps, "drop_least", random(), importance=1 / maps.abs())
    assert torch.equal(result, perturb_maps(maps, "drop_top", random()))


def test_zeros_stay_zeros():
    zeros, names = torch.zeros(2, 3, 2, 2), ("binarise", "dropout", "drop_least", "drop_top")
    assert all(not perturb_maps(zeros, perturbation, random()).any() for perturbation in names)


def test_only_some_channels_are_kept():
    maps = some_maps()
    result = keep_only(maps, (4, 0))
    assert torch.equal(result[:, [0, 4]], maps[:, [0, 4]]) and not result[:, [1, 2, 3, 5]].any()


def test_priors_of_a_picture_by_hand():
    picture = torch.tensor([[[[1.0, 3.0], [1.0, -2.0]]]])
    assert alpha_norm(picture).tolist() == [1 + 729 + 1 + 64]
    # right: 2, 0 | -3, 0; down: 0, -5 | 0, 0
    assert total_variation(picture, 2.0).tolist() == [4 + 25 + 9]
    assert torch.allclose(total_variation(picture, 1.0), torch.tensor([2.0 + 5 + 3]), atol=0.03)


def test_the_mean_pair_distance_is_that_of_all_pairs():
    pictures = torch.randn(7, 2, 3, 3, generator=random())
    pairs = [(a - b).square().sum().item() for k, a in enumerate(pictures) for b in pictures[:k]]
    assert mean_pair_distance(pictures) == pytest.approx(np.mean(pairs), rel=1e-5)
