"""What several tests stand on."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """The paths that git tracks, relative to the root."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("needs a git checkout")
    return sorted(path for path in listing.stdout.decode().split("\0") if path and (ROOT / path).is_file())


@pytest.fixture(scope="session")
def checkout(tracked, tmp_path_factory) -> Path:
    """A copy of the tracked files in a folder of another name, as a fresh clone would be."""
    folder = tmp_path_factory.mktemp("clone") / "some-folder"
    for path in tracked:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)
    return folder
