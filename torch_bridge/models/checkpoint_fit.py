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
MAX_NAME, MAX_PARTS = 500, 64
"""Characters of a name, and parts between its dots, beyond which it is no parameter's."""
MAX_STATES, MAX_TENSORS = 10_000, 200_000
"""Objects with tensors in a checkpoint, and tensors in all of them together."""
MAX_COMPARED = 1000
"""Names in a file that a missing one is compared with."""
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


def states_in(content: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns the objects with named tensors in a checkpoint, each with its place: keys with dots between them.

    Objects that lie in several places, even in themselves, have the outermost. Raises ValueError for names, or numbers
    of objects and tensors, that no network has.
    """
    found: list[tuple[str, Mapping[str, Any]]] = []
    level, seen, count = [("", content)], set[int](), 0
    for _ in range(MAX_DEPTH + 1):
        inner: list[tuple[str, Any]] = []
        for key, value in level:
            if id(value) in seen or not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
                continue
            seen.add(id(value))
            if tensors := sum(map(is_dense, value.values())):
                found.append((key, value))
            count += tensors
            _check_bounds(value, len(found), count)
            inner += [
                (f"{key}.{name}".lstrip("."), entry) for name, entry in value.items() if isinstance(entry, Mapping)
            ]
        level = inner
    return found


def _check_bounds(names: Iterable[str], states: int, tensors: int) -> None:
    wrong = next((name for name in names if len(name) > MAX_NAME or name.count(".") >= MAX_PARTS), None)
    if wrong is not None:
        raise ValueError(f"a name of {len(wrong):,} characters, {wrong[:40]}…; no parameter has such a name")
    if states > MAX_STATES or tensors > MAX_TENSORS:
        raise ValueError(f"more than {MAX_STATES:,} objects with tensors, or {MAX_TENSORS:,} tensors in them")


def fit_state(states: Sequence[tuple[str, Mapping[str, Any]]], target: Tensors) -> StateFit:
    """Returns the state and prefix with the most tensors that a network needs, by name and shape.

    states: at least one, as from `states_in`. target: the network's own tensors by name. Where several fit as well,
    the first of TRAINING_PREFIXES and STATE_KEYS is taken; if neither has it, the others are its rivals.
    """
    shapes = {name: shape_of(value) for name, value in target.items()}
    own = {_unwrapped(name): name for name in target}
    counted = [(_matches(fit, shapes), fit) for key, state in states for fit in _fits(key, state, own)]
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


def _fits(key: str, state: Mapping[str, Any], own: Mapping[str, str]) -> Iterator[StateFit]:
    """Yields the state under each prefix that could be meant. own: the network's names by those without wrappers."""
    tensors = {name: value for name, value in state.items() if is_dense(value)}
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


def is_dense(value: Any) -> bool:
    """Whether a value is a tensor with its numbers: not sparse, nested, or on the device "meta"."""
    import torch

    is_tensor = isinstance(value, torch.Tensor)
    return is_tensor and not value.is_nested and value.layout is torch.strided and not value.is_meta


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
        f"{name} {tuple(value.shape)} instead of {'one that its numbers fill' if shape is None else shape}"
        for name, value, shape in ((name, value, shape_of(wanted)) for name, value, wanted in shared)
        if not _has_shape(value, shape)
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


def _has_shape(value: torch.Tensor, shape: tuple[int, ...] | None) -> bool:
    """Whether a tensor has a shape; None stands for any, but then a few numbers may not be repeated without end."""
    return tuple(value.shape) == shape if shape is not None else value.untyped_storage().nbytes() >= value.nbytes


def _rank(value: torch.Tensor) -> int:
    """The kind of a tensor's numbers: whole ones or booleans, real or complex ones."""
    return 2 if value.is_complex() else int(value.is_floating_point())


def _kind(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _with_nearest(name: str, target: Tensors, fit: StateFit) -> str:
    """A missing name, with the one in the file that is most like it and has its shape."""
    shape = shape_of(target[name])
    alike = [other for other, value in fit.tensors.items() if other not in target and tuple(value.shape) == shape]
    near = difflib.get_close_matches(name, alike[:MAX_COMPARED], n=1, cutoff=0.4)
    return f"{name}, in the file perhaps {near[0]}" if near else name


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Returns the first names of a list as a text, with an ellipsis if there are more."""
    return ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
