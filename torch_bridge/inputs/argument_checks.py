"""Compares the inputs that a user names with the arguments of a network's `forward`, before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..models.build import BuiltModel
from ..recording.errors import InputError, UnknownName
from .first_layer import takes_list
from .sources import KeywordSource, Source, keyword_of

if TYPE_CHECKING:
    from torch import nn

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def argument_place(module: nn.Module, source: Source, number: int) -> int:
    """Returns the place of an input among the arguments of `forward`: for one without a name its number."""
    names = list(inspect.signature(module.forward).parameters)
    is_named = isinstance(source, KeywordSource) and source.keyword in names
    return names.index(source.keyword) if is_named else number  # type: ignore[union-attr]


def source_arguments(module: nn.Module, sources: Sequence[Source]) -> list[str]:
    """Returns the name of the argument that each of these inputs is for."""
    from ..endpoints.tensor_names import positional_names

    places = positional_names(module, len(sources))
    return [keyword_of(source) or place for source, place in zip(sources, places, strict=True)]


def check_arguments(built: BuiltModel, sources: Sequence[Source]) -> None:
    """Raises InputError or UnknownName if the inputs don't fit the signature of `forward`."""
    parameters = list(inspect.signature(built.module.forward).parameters.values())
    kinds = {parameter.kind for parameter in parameters}
    keywords = [source.keyword for source in sources if isinstance(source, KeywordSource)]
    count = len(sources) - len(keywords)
    positional = [parameter.name for parameter in parameters if parameter.kind in POSITIONAL]
    names = [parameter.name for parameter in parameters if parameter.kind in NAMED]
    if count > len(positional) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        raise InputError(
            f"{built.name}: forward takes {len(positional)} inputs ({', '.join(positional)}), {count} given"
        )
    for keyword in keywords:
        if keyword in positional[:count]:
            raise InputError(f"{built.name}: {keyword} is given both by position and by name; give it once")
        if keyword not in names and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise UnknownName(f"argument of {built.name}'s forward", keyword, names)
    covered = {*positional[:count], *keywords}
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.kind in (*POSITIONAL, *NAMED) and parameter.default is inspect.Parameter.empty
    ]
    if missing := [name for name in needed if name not in covered]:
        raise InputError(f"{built.name}: forward also needs {', '.join(missing)}; give {_them(missing)}")
    if len(sources) > 1 and takes_list(built.module):
        raise InputError(f"{built.name} takes one picture at a time, {len(sources)} given")


def _them(missing: Sequence[str]) -> str:
    return f"{len(missing)} more inputs" if len(missing) > 1 else f"one more input, or --keyword {missing[0]}=INPUT"
