"""Fetches packages of networks into a folder of the benchmarks' own, `out/site-packages`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path("out/site-packages")
"""Of this name, so that the type checker leaves it out."""
WITH_DEPENDENCIES = ("huggingface_hub", "regex", "safetensors")
WITHOUT = ("timm", "transformers", "tokenizers")
"""Packages whose dependencies are installed already, or listed above: with them pip would fetch another torch."""


def import_zoo_packages() -> None:
    """Makes timm and transformers importable. Raises ImportError where pip can't fetch them."""
    from ...torch_bridge.models.torchvision_import import import_torchvision

    import_torchvision()
    if not (FOLDER / "transformers").is_dir():
        for names in (WITH_DEPENDENCIES, ("--no-deps", *WITHOUT)):
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(FOLDER), *names]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ImportError(f"pip can't fetch {names[-1]}: {done.stderr.strip().splitlines()[-1]}")
    if str(FOLDER.resolve()) not in sys.path:
        sys.path.append(str(FOLDER.resolve()))
