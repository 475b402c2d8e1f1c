"""Prints the paths of the files of the running Python with torch, each as "SOURCE<tab>PLACE" with both equal."""

import importlib.util
import sys
import sysconfig
from pathlib import Path


def parts() -> list[Path]:
    """Folders and files to be shown inside another root at the same paths."""
    base = Path(sys.base_prefix)
    # The root has its own /usr, so a system Python is reduced to its own files.
    own = [Path(sys.executable).resolve(), Path(sysconfig.get_path("stdlib"))] if base == Path("/usr") else [base]
    torch = importlib.util.find_spec("torch")
    packages = [Path(torch.origin).parent.parent] if torch and torch.origin else []
    found = dict.fromkeys([*own, Path(sys.prefix), *packages])
    return [path for path in found if not any(other in path.parents for other in found)]


if __name__ == "__main__":
    print("\n".join(f"{path}\t{path}" for path in parts()))
