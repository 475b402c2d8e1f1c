"""Prints the paths that a Python with torch is made of, each with the same place after a tab: run by that Python."""

import importlib.util
import sys
import sysconfig
from pathlib import Path


def parts() -> list[Path]:
    """Folders and files to be shown inside another root at the same paths."""
    base = Path(sys.base_prefix)
    # The root has a /usr of its own: of a system's Python only what is its own.
    own = [Path(sys.executable).resolve(), Path(sysconfig.get_path("stdlib"))] if base == Path("/usr") else [base]
    torch = importlib.util.find_spec("torch")
    packages = [Path(torch.origin).parent.parent] if torch and torch.origin else []
    found = dict.fromkeys([*own, Path(sys.prefix), *packages])
    return [one for one in found if not any(other in one.parents for other in found)]


if __name__ == "__main__":
    print("\n".join(f"{one}\t{one}" for one in parts()))
