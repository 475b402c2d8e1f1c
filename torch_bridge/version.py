"""The version of Innerwalk, which `blender_manifest.toml` states and nothing else does."""

import tomllib
from pathlib import Path

_MANIFEST = Path(__file__).resolve().parent.parent / "blender_manifest.toml"

VERSION: str = tomllib.loads(_MANIFEST.read_text("utf-8"))["version"]
"""Such as "0.2.0"; setuptools reads it for the wheel too."""
