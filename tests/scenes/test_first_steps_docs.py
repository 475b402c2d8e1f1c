"""The first steps and the headless cookbook run as they stand there, and name labels that the interface has."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from PIL import Image

from innerwalk import blender_addon
from innerwalk.scenes import cli
from innerwalk.tests.support import ui_texts

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted((DOCS / "first_steps").glob("*.md")), DOCS / "headless.md"]
BLENDERS = {
    "Add-ons", "Allow Online Access", "Interface", "Edit", "Preferences", "Get Extensions", "Install from Disk",
    "Rendered", "Repositories", "Add Remote Repository", "File", "Import", "Save", "Solid", "Language",
}  # fmt: skip
"""Labels of Blender's own interface that the pages name."""
RUNTIMES = {"active OpenXR runtime", "Settings", "OpenXR", "General", "OpenXR Runtime", "Mixed Reality Portal"}
RUNTIMES |= {"Set up OpenXR"}


def commands(page: Path) -> list[str]:
    """The lines of a page's blocks for bash."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
    return "".join(blocks).splitlines()


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch", reason="needs torch")
    monkeypatch.chdir(tmp_path)
    Path("scenes").symlink_to(ROOT / "scenes")
    for command in commands(page):
        program, *arguments = shlex.split(command, comments=True)
        try:
            status = cli.main(arguments)
        except SystemExit as stopped:  # --version
            status = stopped.code
        assert program == "innerwalk" and status == 0, f"{command}\n{capsys.readouterr().err}"
        for place in (arguments[k + 1] for k, argument in enumerate(arguments) if argument in ("-o", "--pictures")):
            assert Path(place).exists(), command


def test_the_labels_on_the_pages_are_those_of_the_interface():
    blender_addon.register()
    try:
        known = ui_texts.all_texts() | BLENDERS | RUNTIMES
    finally:
        blender_addon.unregister()
    known |= {text.partition(" (")[0] for text in known}
    pages = [*PAGES, *(DOCS / f"{name}.md" for name in ("blender", "vr", "formats", "troubleshooting"))]
    for page in pages:
        named = re.findall(r"(?<![*\w])\*([^*\n]+)\*(?!\*)", page.read_text("utf-8"))
        assert not {part for text in named for part in text.split(" > ")} - known, page.name


def test_the_gallerys_pictures_are_those_of_its_recipe():
    recipe = tomllib.loads((ROOT / "scenes" / "gallery.toml").read_text("utf-8"))
    sizes = {figure["output"]: tuple(figure["size"]) for figure in recipe["figures"]}
    assert set(re.findall(r"\(gallery/(.*?)\)", (DOCS / "gallery.md").read_text("utf-8"))) == set(sizes)
    for name, size in sizes.items():
        with Image.open(DOCS / "gallery" / name) as picture:
            assert picture.size == size


def test_every_method_has_a_section():
    pytest.importorskip("torch", reason="needs torch")
    from innerwalk.torch_bridge.methods import METHODS

    text = (DOCS / "methods.md").read_text("utf-8")
    assert not [name for name in METHODS if f"`{name}`" not in text]
