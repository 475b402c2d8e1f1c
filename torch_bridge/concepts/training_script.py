"""What the training scripts share when they are run as programs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

import torch

from ..server.allocator import keep_memory


def run_script(main: Callable[[], int], interrupted: str = "interrupted") -> NoReturn:
    """Runs a script with fast memory and small numbers as 0, and exits with its status; 130 where Ctrl-C ended it.

    interrupted: the line that is written then.
    """
    torch.set_flush_denormal(True)
    keep_memory()
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{interrupted}\n")
        sys.exit(130)
