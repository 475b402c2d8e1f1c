"""Factories in a folder of the user's own, and what is answered when one is named in another way."""

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.models.build import build_model  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InnerwalkError, ModelError  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, record_from  # noqa: E402

SOURCE = """
from torch import nn
class Net(nn.Module):
    def __init__(self, width=2):
        super().__init__()
        from around_mine import widths  # while it is built
        self.a = nn.Conv2d(3, widths.double(width), 3)
    def forward(self, x):
        from around_mine import late  # while it runs
        return late.same(self.a(x))
def build(width=2):
    return Net(width)
def _hidden():
    pass
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder with the package around_mine, which is not the current one."""
    package = tmp_path / "project" / "around_mine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "nets.py").write_text(SOURCE)
    (package / "widths.py").write_text("def double(width):\n    return 2 * width\n")
    (package / "late.py").write_text("def same(x):\n    return x\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    yield tmp_path / "project"
    for name in [name for name in sys.modules if name.split(".")[0] == "around_mine"]:
        del sys.modules[name]


def refused(model: str, folder: Path | None) -> str:
    before = set(sys.modules)
    with pytest.raises(InnerwalkError) as caught:
        build_model(model, folder=None if folder is None else str(folder))
    assert "\n" not in str(caught.value)
    assert "around_mine.nets" not in set(sys.modules) - before or ":" in model, "imported what nobody named"
    return str(caught.value)


def test_a_folder_makes_its_modules_importable_for_the_time_needed(mine):
    path = list(sys.path)
    spec = RecordSpec("around_mine.nets:build", {"width": 3}, str(mine), inputs=["noise:1:3x9x9"])
    assert record_from(spec).network.layer("a").map_shape == (6, 7, 7)
    assert sys.path == path


def test_without_the_folder_it_is_not_found(mine):
    assert "no module 'around_mine' in the current folder" in refused("around_mine.nets:build", None)
    assert "folder /no/such: no such folder" in refused("around_mine.nets:build", Path("/no/such"))


def test_a_module_of_the_same_name_from_elsewhere_is_not_taken_for_it(mine, tmp_path):
    build_model("around_mine.nets:build", folder=str(mine))
    other = tmp_path / "other" / "around_mine"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    (other / "nets.py").write_text(SOURCE)
    assert "a module of this name was imported before" in refused("around_mine.nets:build", tmp_path / "other")


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("around_mine.nets.build", "no model 'around_mine.nets.build'; did you mean around_mine.nets:build?"),
        ("around_mine.nets.Net.make", "did you mean around_mine.nets:Net.make?"),
        ("around_mine.nets", "did you mean around_mine.nets:build, around_mine.nets:Net?"),
        ("around_mine/nets.py:build", "is not a module name; did you mean around_mine.nets:build?"),
        ("./around_mine/nets.py:Net", "did you mean around_mine.nets:Net?"),
        (
            "around_mine/nets.py",
            "is source code, not a model; did you mean around_mine.nets:build, around_mine.nets:Net?",
        ),
        ("other.nets.build", "package.module:factory, such as other.nets:build"),
        ("around_mine.netz:build", "no module 'around_mine.netz'"),
        ("around_mine.netz:build", "did you mean nets?"),
        ("around_mine.nets:biuld", "no factory in around_mine.nets 'biuld'; did you mean build"),
    ],
)
def test_another_way_to_name_it_is_answered_with_the_right_one(mine, model, line):
    assert line in refused(model, mine)


def test_a_file_elsewhere_is_named_with_its_folder(mine):
    said = refused(str(mine / "around_mine" / "widths.py") + ":double", None)
    assert said.endswith(f"did you mean widths:double with the folder {mine / 'around_mine'}?")


def test_a_module_that_exists_but_is_no_python_is_answered_all_the_same(mine):
    (mine / "broken.py").write_text("def (")
    assert "did you mean broken:FACTORY?" in refused("broken.py", mine)


def test_a_folder_in_the_current_one_needs_no_option(mine, monkeypatch):
    monkeypatch.chdir(mine)
    assert build_model("around_mine.nets:build").module.a.out_channels == 4
    with pytest.raises(ModelError, match="did you mean around_mine.nets:build"):
        build_model("around_mine.nets.build")
