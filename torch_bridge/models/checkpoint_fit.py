"""Finds the part of a checkpoint that fits a network: which of its states, and under which prefix of names."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

Tensors = Mapping[str, "torch.Tensor"]
STATE_KEYS = (
    *("", "state_dict", "model_state_dict", "model_state", "model", "net", "network", "params", "weights"),
    *("state_dict_ema", "model_ema", "ema_state_dict", "ema"),
)
"""Where checkpoints commonly hold a state_dict, "" for at the top; the first ones are preferred."""
WRAPPERS = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Modules that torch.compile and parallel training put around others, anywhere in a network."""
TRAINING_PREFIXES = ("", "module.", "model.", "net.", "network.", "module.model.", "model.module.", "ema_model.")
"""Prefixes before all names, the preferred first: of DataParallel, Lightning, averaged models and training code."""
MAX_PREFIXES = 8
"""Prefixes that are tried."""
MAX_DEPTH = 3
"""Objects inside each other in which a state is looked for."""
MAX_LISTED = 3
"""Names that a text lists."""


class StateFit(NamedTuple):
    """One state of a checkpoint, seen as the state of a network."""

    key: str
    """Where in the checkpoint it is: "" for at the top, else keys with dots between them."""
    prefix: str
    """What its names have before the network's own."""
    tensors: Tensors
    """Its tensors by the network's own names; those that the network lacks by their name after the prefix."""
    left_out: tuple[str, ...]
    """Names in the file of values that are no tensors, or that the network has no place for."""
    rivals: tuple[str, ...] = ()
    """Other parts of the file that fit as well, where nothing says which is meant."""

    @property
    def place(self) -> str:
        """The key and the prefix, as one text for people."""
        return ".".join(part for part in (self.key, self.prefix.rstrip(".")) if part) or "the top"


def states_in(content: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yields the objects with named tensors in a checkpoint, each with its place: keys with dots between them."""
    import torch

    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        return
    if any(isinstance(value, torch.Tensor) for value in content.values()):
        yield key, content
    for name, value in content.items():
        if depth < MAX_DEPTH:
            yield from states_in(value, f"{key}.{name}".lstrip("."), depth + 1)


def fit_state(states: Sequence[tuple[str, Mapping[str, Any]]], target: Tensors) -> StateFit:
    """Returns the state and prefix with the most tensors that a network needs, by name and shape.

    states: at least one, as from `states_in`. target: the network's own tensors by name. Where several fit as well,
    the first of TRAINING_PREFIXES and STATE_KEYS is taken; if neither has it, the others are its rivals.
    """
    shapes = {name: shape_of(value) for name, value in target.items()}
    counted = [(_matches(fit, shapes), fit) for key, state in states for fit in _fits(key, state, target)]
    most = max(count for count, _ in counted)
    best, *others = sorted((fit for count, fit in counted if count == most), key=_preference)
    places = tuple(fit.place for fit in others)
    if best.prefix in TRAINING_PREFIXES and best.key in STATE_KEYS:
        return best._replace(left_out=best.left_out + tuple(fit.key for fit in others if fit.key != best.key))
    return best._replace(rivals=places if most else ())


def _matches(fit: StateFit, shapes: Mapping[str, tuple[int, ...] | None]) -> int:
    known = [name for name in fit.tensors if name in shapes]
    return len(known) + sum(shapes[name] in (None, tuple(fit.tensors[name].shape)) for name in known)


def _preference(fit: StateFit) -> tuple[int, int, int]:
    def place(text: str, known: tuple[str, ...]) -> int:
        return known.index(text) if text in known else len(known)

    return place(fit.prefix, TRAINING_PREFIXES), place(fit.key, STATE_KEYS), len(fit.prefix)


def _fits(key: str, state: Mapping[str, Any], target: Tensors) -> Iterator[StateFit]:
    """Yields the state under each prefix that could be meant."""
    import torch

    own = {_unwrapped(name): name for name in target}
    tensors = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    others = [name for name in state if name not in tensors and not isinstance(state[name], Mapping)]
    plain = {name: _unwrapped(name) for name in tensors}
    for prefix in _prefixes(plain.values(), own):
        ends = {name: end.removeprefix(prefix) for name, end in plain.items()}
        fitting = {name for name, end in plain.items() if end.startswith(prefix) and ends[name] in own}
        found = {own[ends[name]] if name in fitting else ends[name]: tensors[name] for name in tensors}
        yield StateFit(key, prefix, found, tuple([*others, *(name for name in tensors if name not in fitting)]))


def _prefixes(names: Iterable[str], own: Mapping[str, str]) -> list[str]:
    """The prefixes, with "" first, that give the most names of the network when they are removed."""
    counts: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        for count in range(1, len(parts)):
            if ".".join(parts[count:]) in own:
                counts[".".join(parts[:count]) + "."] += 1
    return ["", *(prefix for prefix, _ in counts.most_common(MAX_PREFIXES))]


def _unwrapped(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def shape_of(value: torch.Tensor) -> tuple[int, ...] | None:
    """Returns a tensor's shape, such as (C, H, W); None for a parameter of a lazy module, which has none yet."""
    from torch.nn.parameter import is_lazy

    return None if is_lazy(value) else tuple(value.shape)


def is_deeper(name: str, target: Tensors) -> bool:
    """Whether a name that a network lacks is that of a numbered layer: the checkpoint is of a deeper network."""
    parts = name.split(".")
    known = {".".join(own.split(".")[:count]) for own in target for count in range(len(own.split(".")))}
    steps = range(1, len(parts) + 1)
    return next((parts[count - 1].isdecimal() for count in steps if ".".join(parts[:count]) not in known), False)


def misfits(fit: StateFit, target: Tensors) -> list[str]:
    """Returns what keeps a state from being loaded, as parts of an error; [] if nothing does."""
    tensors = fit.tensors
    missing = [name for name in target if name not in tensors and not name.endswith("num_batches_tracked")]
    surplus = [name for name in tensors if name not in target]
    shared = [(name, value, target[name]) for name, value in tensors.items() if name in target]
    misshapen = [
        f"{name} {tuple(value.shape)} instead of {shape_of(wanted)}"
        for name, value, wanted in shared
        if shape_of(wanted) not in (None, tuple(value.shape))
    ]
    mistyped = [
        f"{name} {_kind(value)} instead of {_kind(wanted)}"
        for name, value, wanted in shared
        if _rank(value) != _rank(wanted) and not name.endswith("num_batches_tracked")
    ]
    lacked = surplus if missing or misshapen else [name for name in surplus if is_deeper(name, target)]
    found = (
        ("of another shape", misshapen),
        ("of another type", mistyped),
        ("missing", [_with_nearest(name, target, fit) for name in missing[:MAX_LISTED]] + missing[MAX_LISTED:]),
        ("that the model lacks", lacked),
        ("parts beside it that fit as well", list(fit.rivals)),
    )
    return [f"{len(names)} {what} ({listed(names)})" for what, names in found if names]


def _rank(value: torch.Tensor) -> int:
    """The kind of a tensor's numbers: whole ones or booleans, real or complex ones."""
    return 2 if value.is_complex() else int(value.is_floating_point())


def _kind(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _with_nearest(name: str, target: Tensors, fit: StateFit) -> str:
    """A missing name, with the one in the file that is most like it and has its shape."""
    shape = shape_of(target[name])
    alike = [other for other, value in fit.tensors.items() if other not in target and tuple(value.shape) == shape]
    near = difflib.get_close_matches(name, alike, n=1, cutoff=0.4)
    return f"{name}, in the file perhaps {near[0]}" if near else name


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Returns the first names of a list as a text, with an ellipsis if there are more."""
    return ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
