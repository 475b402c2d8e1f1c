"""Parts of synthesis against closed forms: parametrisations, transforms, objectives, regularisers, preset steps."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)

from torch.nn import functional as F  # noqa: E402

from innerwalk.torch_bridge.inputs.pixels import Pixels  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.probing.partial_forward import PartialResult  # noqa: E402
from innerwalk.torch_bridge.synthesis import ascent as ascents  # noqa: E402
from innerwalk.torch_bridge.synthesis import objectives as goals  # noqa: E402
from innerwalk.torch_bridge.synthesis import regularisers as rules  # noqa: E402
from innerwalk.torch_bridge.synthesis.ascent import Ascent, AscentSettings, make_start  # noqa: E402
from innerwalk.torch_bridge.synthesis.parametrisations import (  # noqa: E402
    COLOURS,
    FourierParametrisation,
    PixelParametrisation,
    build_parametrisation,
)
from innerwalk.torch_bridge.synthesis.presets import PRESETS  # noqa: E402
from innerwalk.torch_bridge.synthesis.transforms import RandomAffine  # noqa: E402

HOW = Preprocessing(size=(6, 5), mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.5))
SIZE = (6, 5)
RANDOM = torch.Generator().manual_seed(0)
PICTURE = torch.randn(1, 3, *SIZE, generator=RANDOM)
PIXELS = Pixels(HOW, PICTURE)
WEIGHT = torch.randn(3, *SIZE, generator=RANDOM)
"""Of a linear network, in its own numbers."""


def linear(shares, rows):
    return (PIXELS.to_network(shares) * WEIGHT).flatten(1).sum(1)


def settings_of(name, steps=1, **more):
    preset = replace(PRESETS[name], **more)
    before, after = preset.before(PIXELS, PICTURE), preset.after(PIXELS, PICTURE)
    return AscentSettings(preset, build_parametrisation(preset.image, PIXELS, SIZE), linear, steps, before, after)


def ascend(settings, kind="noise", samples=1):
    start = make_start(settings, [f"0/layer/3/{k}" for k in range(samples)], kind, PIXELS.to_brightness(PICTURE))
    ascent = Ascent(settings, start, 8)
    list(ascent.steps())
    return start.values.numpy(), ascent.values.numpy()


def test_fourier_coefficients_are_those_of_the_inverse_transform():
    """As numpy has it, coefficient by coefficient, with lucid's weights and colours."""
    image, values = FourierParametrisation(PIXELS, SIZE), torch.randn(2, 3, 6, 3, 2, generator=RANDOM) * 0.3
    far = np.hypot(np.fft.fftfreq(6)[:, None], np.fft.rfftfreq(5)[None])
    scale = np.sqrt(30) / np.maximum(far, 1 / 6) / 4
    spectrum = values.double().numpy()
    planes = np.fft.irfft2((spectrum[..., 0] + 1j * spectrum[..., 1]) * scale, s=SIZE)
    colours = np.array(COLOURS) / np.linalg.norm(COLOURS, axis=0).max()
    expected = 1 / (1 + np.exp(-np.einsum("ij,njhw->nihw", colours, planes)))
    np.testing.assert_allclose(image.to_brightness(values).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("way", ["fourier", "network", "brightness"])
def test_parametrisations_are_inverted(way):
    brightness, image = torch.rand(2, 3, *SIZE, generator=RANDOM), build_parametrisation(way, PIXELS, SIZE)
    assert image.to_parameters(brightness).shape == (2, *image.shape)
    assert torch.allclose(
        image.to_brightness(image.to_parameters(brightness)), brightness.clamp(1e-3, 1 - 1e-3), atol=2e-3
    )


def test_zero_is_the_mean_of_the_data():
    assert torch.equal(
        PixelParametrisation(PIXELS, SIZE, "network").to_brightness(torch.zeros(1, 3, *SIZE))[0, :, 0, 0],
        PIXELS.mean.flatten(),
    )
    assert torch.allclose(
        FourierParametrisation(PIXELS, SIZE).to_brightness(torch.zeros(1, 3, 6, 3, 2)), torch.tensor(0.5)
    )


def numbers(first=(0.5, 0.5), last=(0.5, 0.5), scale=0.5, turn=0.99):
    return torch.tensor([[*first, *last, scale, turn]])


def test_a_transform_without_ranges_changes_nothing():
    shares = torch.rand(1, 3, 9, 7)
    assert torch.allclose(RandomAffine()(shares, numbers()), shares, atol=1e-6)


def test_a_jitter_is_a_shift_with_grey_around():
    """Of 9 places to the right, 8 of 0..8: four pixels from the middle; the last of 5 down: two."""
    shares = torch.rand(1, 3, 12, 10)
    found = RandomAffine()(shares, numbers(first=(0.999, 0.5), last=(0.5, 0.999)))
    expected = torch.full_like(shares, 0.5)
    expected[:, :, :10, :6] = shares[:, :, 2:, 4:]
    assert torch.allclose(found, expected, atol=1e-5)


def test_all_transforms_combine_into_one_map():
    """A picture whose brightness is a plane, seen where all moves, one after another, put it."""
    moves, height, width = RandomAffine(margin=6), 40, 60
    numbers = torch.tensor([[0.1, 0.8, 0.9, 0.3, 0.95, 0.2]])  # right 0 of 8, down 7; then 4 and 1 of 4; 1.1; 5 of 26
    y, x = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2, indexing="ij")
    plane = (0.5 + 0.004 * x - 0.003 * y).expand(1, 3, -1, -1)
    found = moves(plane, numbers)
    assert found.shape == (1, 3, 46, 66)
    angle = np.radians(5 - 10)
    for down, right in ((-9.5, -12.5), (0.5, 0.5), (8.5, 14.5)):
        at = np.array([right + 4 - 2, down + 1 - 2])  # the second jitter, of 0..4
        at = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ at / 1.1
        at = at + np.array([0 - 4, 7 - 4])  # the first, of 0..8
        seen = found[0, 0, int(down + 22.5), int(right + 32.5)]
        assert float(seen) == pytest.approx(0.5 + 0.004 * at[0] - 0.003 * at[1], abs=1e-5)


def test_each_picture_has_its_own_transform():
    shares = torch.rand(1, 3, 30, 30).repeat(2, 1, 1, 1)
    found = RandomAffine()(shares, torch.rand(2, 6, generator=RANDOM))
    assert (found[0] - found[1]).abs().mean() > 0.05


def reached(maps, output=None):
    return PartialResult({"a": maps}, output, {}, {}, {}, False)


def test_objectives():
    maps = torch.randn(2, 4, 3, 5, generator=RANDOM)
    channel, neuron = goals.channel("a", [1, 3]), goals.neuron("a", [1, 3], 0.0, 1.0)
    assert torch.allclose(channel.score(reached(maps), [0, 1]), torch.stack([maps[0, 1].mean(), maps[1, 3].mean()]))
    assert torch.equal(channel.score(reached(maps[1:]), [1]), maps[1, 3].mean()[None])
    assert torch.equal(neuron.score(reached(maps), [0, 1]), torch.stack([maps[0, 1, 0, 4], maps[1, 3, 0, 4]]))
    assert torch.equal(goals.neuron("a", [0, 0]).score(reached(maps), [0, 1]), maps[:, 0, 1, 2])
    weights = torch.tensor([0.0, 2.0, 0.0, -1.0])
    together = 2 * maps[:, 1].mean((1, 2)) - maps[:, 3].mean((1, 2))
    assert torch.allclose(goals.channel("a", weights).score(reached(maps), [0, 1]), together)
    assert torch.allclose(goals.energy("a").score(reached(maps), [0, 1]), maps.square().mean((1, 2, 3)))
    assert goals.logit([2, 0]).score(reached(maps, torch.arange(6.0).reshape(2, 3)), [0, 1]).tolist() == [2.0, 3.0]


def test_objectives_are_added_and_weighted():
    maps = torch.randn(2, 4, 3, 5, generator=RANDOM)
    both = goals.channel("a", [0, 0]) + 0.5 * goals.logit([1, 1])
    assert both.needs_output and not goals.channel("a", [0]).needs_output
    output = torch.arange(4.0).reshape(2, 2)
    expected = maps[:, 0].mean((1, 2)) + 0.5 * output[:, 1]
    assert torch.allclose(both.score(reached(maps, output), [0, 1]), expected)


def test_a_direction():
    """Two places: along it, and across it with a part along."""
    maps = torch.tensor([[3.0, 1.0], [0.0, 1.0]]).reshape(1, 2, 1, 2)
    vector = torch.tensor([1.0, 0.0])
    cosine = 1 / np.sqrt(2)
    for power in (0, 1, 4):
        expected = (3 + cosine**power) / 2
        assert float(goals.direction("a", vector, power).score(reached(maps), [0])) == pytest.approx(expected, rel=1e-5)
    away = goals.direction("a", -vector, 2).score(reached(maps), [0])
    assert float(away) == pytest.approx(-0.01 * (3 + 1) / 2, rel=1e-4)  # LEAST_COSINE squared


def test_diversity_is_the_mean_cosine_of_gram_matrices():
    maps = torch.randn(6, 4, 3, 5, generator=RANDOM)
    found = goals.diversity("a", 3).score(reached(maps), range(6))
    grams = [(item.flatten(1) @ item.flatten(1).T).flatten() for item in maps]
    for first in (0, 3):
        cosines = [
            F.cosine_similarity(grams[i], grams[j], 0)
            for i in range(first, first + 3)
            for j in range(first, first + 3)
            if i != j
        ]
        assert torch.allclose(found[first : first + 3], -torch.stack(cosines).mean(), atol=1e-5)


def test_yosinskis_regularisers():
    values = torch.randn(1, 3, 8, 10, generator=RANDOM)
    gradient = torch.randn(1, 3, 8, 10, generator=RANDOM)
    moment = rules.StepState(4, torch.zeros(1, 8), gradient)
    assert torch.allclose(rules.YosinskiRegulariser(0.3, 0, 0, 0, 0)(values, moment), values * 0.7)
    small = rules.YosinskiRegulariser(0, 0, 0, 50, 0)(values, moment)
    sizes = values.norm(dim=1)
    assert torch.equal(small.any(1), sizes >= sizes.flatten().sort().values[39])
    idle = rules.YosinskiRegulariser(0, 0, 0, 0, 90)(values, moment)
    does = (values * gradient).sum(1).abs()
    assert idle.any(1).sum() == 9 and does[idle.any(1)].min() > does[~idle.any(1)].max()
    blurry = rules.YosinskiRegulariser(0, 1.0, 4, 0, 0)
    assert torch.equal(blurry(values, moment), rules.blurred(values, 1.0, 4))
    assert torch.equal(blurry(values, moment._replace(step=5)), values)


def test_a_blur_is_the_normal_distribution():
    point = torch.zeros(1, 2, 21, 21)
    point[:, :, 10, 10] = 1
    found = rules.blurred(point, 1.5, 6)
    weights = np.exp(-(np.arange(-6, 7) ** 2) / (2 * 1.5**2))
    expected = np.outer(weights, weights) / weights.sum() ** 2
    np.testing.assert_allclose(found[0, 1, 4:17, 4:17].numpy(), expected, atol=1e-6)
    assert torch.allclose(rules.blurred(torch.full((1, 1, 9, 9), 3.0), 1.0, 4), torch.tensor(3.0))


def test_deepvisionvrs_regulariser_by_its_random_numbers():
    values = torch.randn(2, 3, 40, 40, generator=RANDOM)
    never = rules.StepState(0, torch.full((2, 8), 0.9))
    smooth = rules.blurred(values, 0.5, 2)
    flat = smooth.flatten(1)
    mean, std = flat.mean(1).reshape(-1, 1, 1, 1), flat.std(1).reshape(-1, 1, 1, 1)
    plain = 0.95 * smooth + 0.05 * (smooth - mean) / std
    assert torch.allclose(rules.deepvisionvr(values, never), plain, atol=1e-5)
    rolled = rules.StepState(0, torch.tensor([[0.9, 0.9, 0.9, 0.9, 0.1, 0.999, 0.0, 0.0]]).repeat(2, 1))
    assert torch.allclose(rules.deepvisionvr(values, rolled), plain.roll((5, -5), (2, 3)), atol=1e-5)
    turned = rules.StepState(0, torch.tensor([[0.1, 0.999, 0.9, 0.9, 0.9, 0.9, 0.9, 0.0]]).repeat(2, 1))
    assert (rules.deepvisionvr(values, turned) - plain).abs().mean() > 0.1
    assert rules.deepvisionvr(torch.zeros(1, 3, 40, 40), never).abs().max() == 0  # theirs has no number here


def along(rate, gradient):
    return rate * gradient / np.linalg.norm(gradient)


def test_one_step_of_deepvisionvr():
    before, after = ascend(settings_of("deepvisionvr", plain_share=1.0))
    np.testing.assert_allclose(after, before + along(20.0, WEIGHT.numpy()), rtol=1e-4, atol=1e-5)


def test_one_step_of_yosinski2015():
    """In shares of brightness, where the start is cut to what can be shown; no rule after the last step."""
    before, after = ascend(settings_of("yosinski2015"), samples=4)
    gradient = WEIGHT.numpy() / np.array(HOW.std)[:, None, None]
    mean = np.array(HOW.mean)[:, None, None]
    expected = np.clip(before, -mean, 1 - mean) + along(0.03 * np.sqrt(90), gradient)
    np.testing.assert_allclose(after, expected, rtol=1e-4, atol=1e-5)
    assert before.std() == pytest.approx(10 / 255, rel=0.2)


def test_two_steps_of_simonyan2013():
    before, after = ascend(settings_of("simonyan2013", 2, penalty=0.5), kind="zeros")
    assert not before.any()
    first = along(0.02 * np.sqrt(90), WEIGHT.numpy())
    expected = first + along(0.02 * np.sqrt(90), WEIGHT.numpy() - 2 * 0.5 * first)
    np.testing.assert_allclose(after[0], expected, rtol=1e-4, atol=1e-5)


def test_one_step_of_erhan2009():
    before, after = ascend(settings_of("erhan2009"))
    radius = np.linalg.norm(PICTURE.numpy())
    moved = radius * before / np.linalg.norm(before) + along(0.2 * np.sqrt(90), WEIGHT.numpy())
    np.testing.assert_allclose(after, radius * moved / np.linalg.norm(moved), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["quick", "fourier2017"])
def test_one_step_of_fourier_presets(name):
    """Adam's first step is as large for each number: in the gradient's sign, which comes through every wave."""
    before, after = ascend(settings_of(name, transform=None))
    colours = np.array(COLOURS) / np.linalg.norm(COLOURS, axis=0).max()
    far = np.hypot(np.fft.fftfreq(6)[:, None], np.fft.rfftfreq(5)[None])
    scale = np.sqrt(30) / np.maximum(far, 1 / 6) / 4
    spectrum = before.astype(np.float64)[0]
    planes = np.fft.irfft2((spectrum[..., 0] + 1j * spectrum[..., 1]) * scale, s=SIZE)
    shares = 1 / (1 + np.exp(-np.einsum("ij,jhw->ihw", colours, planes)))
    back = WEIGHT.numpy() / np.array(HOW.std)[:, None, None] * shares * (1 - shares)
    back = np.einsum("ij,ihw->jhw", colours, back)
    gradient = np.zeros((3, 6, 3, 2))
    for row, column, part in np.ndindex(6, 3, 2):
        basis = np.zeros((6, 3), complex)
        basis[row, column] = scale[row, column] * (1, 1j)[part]
        gradient[:, row, column, part] = (back * np.fft.irfft2(basis, s=SIZE)).sum((1, 2))
    step = PRESETS[name].rate * gradient / (np.abs(gradient) + ascents.EPSILON)
    clear = np.abs(gradient) > 1e-4
    assert clear.mean() > 0.8
    np.testing.assert_allclose((after - before)[0][clear], step[clear], rtol=2e-3, atol=1e-5)


def test_random_numbers_belong_to_a_picture():
    settings = settings_of("quick", 3)
    alone = make_start(settings, ["0/a/7/0"], "noise", PICTURE)
    among = make_start(settings, ["0/a/2/0", "0/a/7/0"], "noise", PICTURE)
    assert torch.equal(alone.values[0], among.values[1]) and torch.equal(
        alone.random_numbers[:, 0], among.random_numbers[:, 1]
    )
    assert not torch.equal(among.values[0], among.values[1])
    shared = make_start(settings_of("deepvisionvr", 3), ["0/a/2/0", "0/a/7/0"], "noise", PICTURE)
    assert torch.equal(shared.random_numbers[:, 0], shared.random_numbers[:, 1])
    assert not torch.equal(
        shared.random_numbers,
        make_start(settings_of("deepvisionvr", 3), ["1/a/2/0"] * 2, "noise", PICTURE).random_numbers,
    )


def test_the_last_steps_are_not_transformed():
    seen = []

    def transform(shares, numbers):
        seen.append(len(shares))
        return shares

    ascend(settings_of("quick", 8, transform=transform, plain_share=0.25))
    assert len(seen) == 6


def test_a_final_picture_is_measured_plain_and_moved():
    def transform(brightness, numbers):
        return brightness * numbers[:, :1, None, None]

    settings = replace(settings_of("quick", 12, transform=transform), score=lambda each, _: each.mean((1, 2, 3)))
    ascent = ascents.Ascent(settings, make_start(settings, ["0/a/7/0", "0/a/2/0"], "noise", PICTURE), 1)
    list(ascent.measure())
    plain = ((ascent.brightness() * 255).round() / 255).mean((1, 2, 3))
    shares = ascent.start.random_numbers[: ascents.MOVES, :, 0].mean(0)
    assert torch.allclose(ascent.scores, plain, atol=1e-6)
    assert torch.allclose(ascent.moved_scores, plain * shares, atol=1e-6) and not torch.allclose(shares[0], shares[1])


def test_deepvisionvrs_regulariser_equals_torchvision():
    """Turned by nearest pixels and scaled, as its authors call torchvision for it."""
    from innerwalk.torch_bridge.models.torchvision_import import import_torchvision

    if import_torchvision() == "absent":
        pytest.skip("needs torchvision")
    from torchvision.transforms import functional as T

    values = torch.randn(1, 3, 40, 50, generator=RANDOM)
    chance = torch.tensor([[0.1, 0.85, 0.01, 0.6, 0.9, 0.9, 0.9, 0.0]])
    wide = T.rotate(F.pad(values, (10,) * 4, mode="replicate"), -(20 * 0.85 - 10))
    wide = T.affine(wide, 0, [0, 0], 1.03, [0, 0], interpolation=T.InterpolationMode.BILINEAR)
    wide = T.center_crop(T.gaussian_blur(wide, [5, 5], [0.5, 0.5]), [40, 50])
    expected = 0.95 * wide + 0.05 * (wide - wide.mean()) / wide.std()
    found = rules.deepvisionvr(values, rules.StepState(0, chance))
    assert ((found - expected).abs() < 1e-4).float().mean() > 0.98  # a pixel between two may fall to either
