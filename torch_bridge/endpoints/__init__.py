"""What the boards of a network's inputs and outputs show: names, kinds, and small arrays that are drawn without torch.

`inputs.py` and `outputs.py` choose the kind of each tensor; the other modules make the content of one kind each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .content import Content
    from .inputs import EndpointSample, InputFacts, make_input
    from .outputs import OutputContext, make_output
    from .tensor_names import named_arguments, named_tensors, positional_names

__all__ = [
    "Content",
    "EndpointSample",
    "InputFacts",
    "OutputContext",
    "make_input",
    "make_output",
    "named_arguments",
    "named_tensors",
    "positional_names",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Content": "content",
        "EndpointSample": "inputs",
        "InputFacts": "inputs",
        "OutputContext": "outputs",
        "make_input": "inputs",
        "make_output": "outputs",
        "named_arguments": "tensor_names",
        "named_tensors": "tensor_names",
        "positional_names": "tensor_names",
    },
)
