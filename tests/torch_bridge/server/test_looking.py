"""Every method gives the network what it was given, shows the values of `record`, and leaves no trace."""

from __future__ import annotations

import random  # noqa: TID251 - its state is compared
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402
from torch.nn.modules import module as global_hooks  # noqa: E402
from torch.nn.utils import parametrizations, parametrize, spectral_norm  # noqa: E402

from innerwalk.torch_bridge import ask, concepts, record  # noqa: E402
from innerwalk.torch_bridge.methods import METHODS, Step  # noqa: E402
from innerwalk.torch_bridge.recording import Recording  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InnerwalkError  # noqa: E402
from innerwalk.torch_bridge.synthesis.presets import MARGIN  # noqa: E402

torch.set_num_threads(1)
SIDE = 12
PARAMETERS: dict[str, dict[str, Any]] = {
    "maximisation": {"steps": 2},
    "inversion": {"steps": 2},
    "dgn_am": {"steps": 2},
    "evidence": {"steps": 2, "count": 2, "best": 1},
    "average": {"count": 2},
    "top_images": {"count": 2, "best": 1},
    "health": {"count": 2},
    "localisation_scores": {"count": 2},
    "integrated_gradients": {"steps": 3},
    "smooth_grad": {"count": 3},
    "rise": {"count": 5},
    "concept_direction": {"concept": "star", "count": 10, "tested": 12, "splits": 20, "steps": 2},
    "concept_vectors": {"count": 16, "epochs": 1},
    "attribution_scores": {"steps": 2, "methods": "saliency,layer_cam"},
    "attribution_sanity": {"stages": 2, "methods": "saliency,integrated_gradients"},
}
NEED_INVERTERS = ("upconvnet", "dgn_am")
"""Methods that need a file trained for the network, which come with the shipped ones."""
NEED_MORE = ("concept_failures", "unit_history", "gan_dissection", "artefact_units")
"""Methods that need names of classes, a training run, or a generator."""
LARGER = ("maximisation", "evidence", "concept_direction")
"""Methods that make pictures with a margin, which moves cut off."""
NEED_ATTENTION = ("attention_rollout",)
"""Methods that answer for the transformer alone."""


class Noise(nn.Module):
    """A parametrisation that is random in training mode."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + torch.randn_like(weight) if self.training else weight


class Restless(nn.Module):
    """A network in training mode whose every part changes when it runs; ends with means and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.old = spectral_norm(nn.Conv2d(3, 4, 3, padding=1))
        self.norm = nn.BatchNorm2d(4)
        self.new = parametrizations.spectral_norm(nn.Conv2d(4, 4, 3, padding=1))
        self.noisy = nn.Conv2d(4, 4, 1)
        parametrize.register_parametrization(self.noisy, "weight", Noise())
        self.drop, self.last = nn.Dropout(), nn.Linear(4, 6)
        self.register_buffer("runs", torch.zeros(1), persistent=False)
        self.register_buffer("largest", torch.zeros(1))
        self.longest, self.cache = 0, torch.zeros(0)
        self.seen: list[Any] = []

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None, *, scale: float = 1.0) -> torch.Tensor:
        self.seen.append((x, mask, scale))
        self.runs += 1
        self.largest.data.mul_(0.5).add_(1)
        if len(x) > self.longest:  # as caches of rotary embeddings: the length and the values belong together
            self.longest, self.cache = len(x), torch.ones(len(x), 1, 1, 1)
        x = x * self.cache[: len(x)].to(x)
        values = self.norm(self.old(x)).relu()
        values = self.noisy(self.new(values)) * scale
        values = values if mask is None else values * mask
        noise = torch.rand(1).to(values) + float(np.random.rand()) + random.random()  # noqa: NPY002
        return self.last(self.drop((values + 0 * noise).mean((2, 3))))


class Attentive(nn.Module):
    """Attention among tokens, of which some are masked."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 8)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.last = nn.Linear(8, 3)
        self.seen: list[Any] = []

    def forward(self, ids: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        self.seen.append((ids, padding))
        return self.last(self.block(self.embed(ids), src_key_padding_mask=padding).mean(1))


def picture(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)).to(dtype)


MASK = torch.arange(SIDE * SIDE).reshape(1, 1, SIDE, SIDE) % 5 != 0
TOKENS = torch.tensor([[3, 1, 4, 1, 5, 0]]), torch.tensor([[False] * 5 + [True]])
NETWORKS: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "float32": (Restless, {"x": picture(), "mask": MASK, "scale": 2.0}),
    "float64": (lambda: Restless().double(), (picture(torch.float64), MASK)),
    "bfloat16": (lambda: Restless().bfloat16(), (picture(torch.bfloat16), None)),
    "tokens": (Attentive, TOKENS),
}
CASES = [(name, method) for name in NETWORKS for method in METHODS]


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    model = NETWORKS[name][0]().train()
    if isinstance(model, Restless):
        model.norm.eval()  # modes differ
        model.last.weight.grad = torch.ones_like(model.last.weight)
        model.last.bias.requires_grad_(False)
    return model


def modules_state(model: nn.Module) -> dict[str, Any]:
    """Everything that a module holds: tensors by value and identity, lists by length, anything else by identity."""
    found: dict[str, Any] = {}
    for path, module in model.named_modules():
        registries = {"": vars(module), "_buffers": module._buffers, "_parameters": module._parameters}
        for registry, values in registries.items():
            for name, value in values.items():
                key = f"{path}.{registry}.{name}"
                found[key] = id(value)
                if isinstance(value, torch.Tensor):
                    found[key + " is"] = (value.detach().clone(), value.requires_grad, value.grad_fn, value.is_leaf)
                    found[key + " gradient"] = None if value.grad is None else value.grad.clone()
                elif isinstance(value, dict) and name != "_modules":
                    found[key + " keys"] = list(value)
                elif isinstance(value, bool | int | float | str):
                    found[key] = value
    return found


def global_state() -> dict[str, Any]:
    hooks = {
        name: list(value)
        for name, value in vars(global_hooks).items()
        if name.startswith("_global_") and isinstance(value, dict)
    }
    return hooks | {
        "torch": torch.get_rng_state(),
        "numpy": torch.from_numpy(np.random.get_state()[1].astype(np.int64)),  # noqa: NPY002
        "python": random.getstate(),
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "dtype": torch.get_default_dtype(),
        "deterministic": (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic),
        "threads": torch.get_num_threads(),
        "denormal": float(torch.tensor([1e-39]) * 1.0),
        "modes": torch._C._len_torch_function_stack(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.is_autocast_cache_enabled()),
        "parametrize": (parametrize._cache_enabled, len(parametrize._cache)),
    }


def inputs_state(inputs: Any) -> dict[str, Any]:
    values = inputs.values() if isinstance(inputs, dict) else inputs
    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    return {f"input {k}": (value.clone(), value.requires_grad, list(vars(value))) for k, value in enumerate(tensors)}


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    def same(one: Any, other: Any) -> bool:
        if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
            return all(map(same, one, other))
        if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
            return one.dtype == other.dtype and torch.equal(one, other)
        return type(one) is type(other) and one == other

    names = before.keys() | after.keys()
    return sorted(name for name in names if not same(before.get(name, KeyError), after.get(name, KeyError)))


def look(model: nn.Module, inputs: Any, action: Callable[[], Recording]) -> Recording | InnerwalkError:
    """Runs the action; fails if it leaves a trace."""
    before = modules_state(model) | global_state() | inputs_state(inputs)
    try:
        return action()
    except InnerwalkError as error:
        return error
    finally:
        assert not differing(before, modules_state(model) | global_state() | inputs_state(inputs))


def asked(model: nn.Module, inputs: Any, method: str, **options: Any) -> Recording:
    during: list[dict[str, Any]] = []

    def note(step: Step) -> None:
        during.append(global_state())

    options |= {"data": "concepts:object"} if "data" in METHODS[method].needs else {}
    before = global_state()
    recording = ask(model, inputs, method, on_step=note, **PARAMETERS.get(method, {}), **options)
    for state in during:  # not between the steps either
        assert not differing(before, state)
    return recording


@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_method_leaves_no_trace_and_shows_the_values_of_the_run(name: str, method: str) -> None:
    model, inputs = build(name), NETWORKS[name][1]
    recorded = look(model, inputs, lambda: record(model, inputs, layers="*"))
    assert isinstance(recorded, Recording)
    model.seen.clear()
    answer = look(model, inputs, lambda: asked(model, inputs, method))
    wanted = tuple(inputs.values()) if isinstance(inputs, dict) else inputs
    for run in model.seen:
        for value, own in zip(run, wanted, strict=False):
            if isinstance(own, torch.Tensor):
                counts = own.dtype == torch.bfloat16 and value[0, 0, -1, -1].abs() == SIDE - 1  # receptive fields
                margin = MARGIN * (method in LARGER and value.shape[-1] != own.shape[-1])
                assert value.dtype == (torch.float32 if counts else own.dtype)
                assert value.shape[1:] == (own.shape[1], *(side + margin for side in own.shape[2:]))
            else:
                assert value is own or value == own
    if isinstance(answer, Recording):
        for (layer, kind), maps in answer.all_maps.items():
            if kind == "activations":
                assert np.array_equal(maps.texels, recorded.maps(layer).texels)
        assert any(kind == method for _, kind in answer.all_maps)
    else:
        left_out = name == "tokens" or method in (*NEED_INVERTERS, *NEED_MORE, "weights")
        assert name != "tokens" if method in NEED_ATTENTION else left_out, answer
        assert "\n" not in str(answer) and "''" not in str(answer)


@pytest.mark.parametrize("method", NEED_INVERTERS)
def test_methods_with_inverters_leave_no_trace(method: str) -> None:
    model = concepts.load("object")[0].train()
    inputs = (torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)),)
    options = {"layers": "stage1.1:add", "channels": [0], "mean": (0.5,) * 3, "std": (0.5,) * 3}
    answer = look(model, inputs, lambda: asked(model, inputs, method, **options))
    assert isinstance(answer, Recording), answer


@pytest.mark.parametrize("name", NETWORKS)
def test_recording_kernels_leaves_no_trace(name: str) -> None:
    model, inputs = build(name), NETWORKS[name][1]
    assert isinstance(look(model, inputs, lambda: record(model, inputs, kernels=True)), Recording)


def test_denormal_numbers_are_those_of_the_run() -> None:
    model, values = nn.Conv2d(3, 2, 1), picture() * 1e-39
    nn.init.zeros_(model.bias)
    asked_maps = ask(model, values, "activations").maps("Conv2d")
    assert (asked_maps.data != 0).all() and np.array_equal(
        asked_maps.texels, record(model, values).maps("Conv2d").texels
    )


def test_a_failing_run_leaves_no_trace() -> None:
    model, inputs = build("float32"), (picture()[:, :2],)
    assert isinstance(look(model, inputs, lambda: record(model, inputs)), InnerwalkError)
