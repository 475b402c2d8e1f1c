"""The search over the names of models that a Python and a folder hold."""

from pathlib import Path

import pytest

from innerwalk.blender_addon.model_names import listed_models, own_models, search_models

NETS = """
from torch import nn
class Block(nn.Module): ...
class Options: ...
def build(depth=3): ...
def helper(model): ...
def _hidden(): ...
"""


@pytest.fixture
def python(tmp_path) -> str:
    """A Python with parts of torchvision and timm."""
    packages = tmp_path / "env/lib/python3.12/site-packages"
    for folder, text in {
        "torchvision/models": "@register_model()\n@legacy(\n    weights=1,\n)\ndef squeezenet1_0(): ...\n"
        'def other(): ...\n@register_model(name="quantized_resnet18")\ndef resnet18(): ...\n',
        "timm/models": "@register_model\ndef squeezebert(): ...\n",
    }.items():
        (packages / folder).mkdir(parents=True)
        (packages / folder / "nets.py").write_text(text)
    (tmp_path / "env/pyvenv.cfg").touch()
    return str(tmp_path / "env/bin/python")


def test_names_are_those_that_the_packages_list(python):
    assert listed_models(python) == ("quantized_resnet18", "squeezenet1_0", "timm.models:squeezebert")


def test_typing_a_part_finds_it(python):
    assert search_models("squee", python) == ["squeezenet1_0", "timm.models:squeezebert"]
    assert search_models("ResNet 18", python) == ["quantized_resnet18"]
    assert search_models("nothing", python) == search_models("x", "/none/bin/python") == []


def test_own_modules_are_found_too(python, tmp_path):
    folder = tmp_path / "mine"
    (folder / "package").mkdir(parents=True)
    (folder / "package/nets.py").write_text(NETS)
    (folder / "broken.py").write_text("def (")
    (folder / "deep.py").write_text(f"class Deep(x{'.y' * 400}): ...")
    assert own_models(str(folder)) == ("package.nets:build", "package.nets:Block")
    assert search_models("block", python, str(folder)) == ["package.nets:Block"]
    (folder / "package/nets.py").write_text("def late(): ...\n")
    assert own_models(str(folder)) == ("package.nets:late",), "a changed file is read again"
    assert own_models("") == own_models(str(tmp_path / "none")) == ()


def test_all_names_of_torchvision_are_found():
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    from innerwalk.torch_bridge.models.torchvision_import import import_torchvision

    assert import_torchvision() != "absent"
    from torchvision import models

    python = Path(torch.__file__).parents[4] / "bin/python"
    assert {name for name in listed_models(str(python)) if ":" not in name} == set(models.list_models())
