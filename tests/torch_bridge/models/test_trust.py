"""Files that run code, `.pt2`, are loaded only for a person who trusts them; files of data never run any."""

import os
import warnings
import zipfile

import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.scenes import cli  # noqa: E402
from innerwalk.torch_bridge.models.build import build_model  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InnerwalkError, ModelError  # noqa: E402


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.fixture
def honest(tmp_path):
    """A program whose batch is a formula."""
    path = tmp_path / "honest.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = torch.export.Dim("batch", min=2, max=8)
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU()).eval()
        program = torch.export.export(model, (torch.zeros(4, 3),), dynamic_shapes=({0: batch},))
        torch.export.save(program, path)
    return path


def changed(path, target, change):
    """A copy of a program with every entry `name, content` as `change` returns it."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def with_pickled_object(path, target, folder):
    trapped = path.with_name("trap.pt")
    torch.save(Trap(folder), trapped)
    content = trapped.read_bytes()
    return changed(path, target, lambda name, old: content if "sample_inputs" in name else old)


def with_expression(path, target, folder):
    call = f"__import__('os').mkdir('{folder}')".encode()

    def change(name, old):
        if not name.endswith("models/model.json"):
            return old
        before, middle, after = old.partition(b'"expr_str": "')
        assert middle
        return before + middle + call + after[after.index(b'"') :]

    return changed(path, target, change)


@pytest.mark.parametrize("attack", [with_pickled_object, with_expression])
def test_a_program_runs_nothing_unless_it_is_trusted(honest, tmp_path, attack):
    hostile, sprung = attack(honest, tmp_path / "hostile.pt2", tmp_path / "sprung"), tmp_path / "sprung"
    with pytest.raises(ModelError, match="runs code from it; if you trust it, add --trust"):
        build_model(str(hostile))
    assert not sprung.exists()
    with pytest.raises(ModelError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        build_model(str(hostile), trust=True)
    assert sprung.exists()  # so that the file is known to be an attack


def test_the_flag_reaches_the_file(honest, tmp_path, capsys):
    command = ["record", str(honest), "--input", "noise:1:3", "-o", str(tmp_path / "made")]
    assert cli.main(command) == 2
    said = capsys.readouterr().err
    assert "honest.pt2: loading a .pt2 file runs code" in said and said.count("\n") == 1
    assert cli.main([*command, "--trust"]) == 0
    assert (tmp_path / "made" / "recording.json").is_file()


def test_weights_never_run_code(tmp_path):
    from innerwalk.torch_bridge.models.weights import load_weights

    for is_zip in (True, False):
        path, sprung = tmp_path / f"w{is_zip}.pt", tmp_path / f"sprung{is_zip}"
        torch.save(Trap(sprung), path, _use_new_zipfile_serialization=is_zip)
        with pytest.raises(InnerwalkError, match="needs pickle"):
            load_weights(torch.nn.Linear(1, 1), path)
        assert not sprung.exists()


def test_arguments_download_nothing():
    with pytest.raises(ModelError, match="'weights' would download weights; name them as weights"):
        build_model("resnet18", {"weights": "DEFAULT"})
