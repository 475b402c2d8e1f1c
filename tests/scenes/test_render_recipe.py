"""`innerwalk render` and `recipe`: figures are those of `figure`, changes are found, and nothing untrusted runs."""

import os
import shlex
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.output import preset_scene  # noqa: E402
from innerwalk.scenes import cli  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError  # noqa: E402

SMALL = "size = [160, 90]\nsamples = 1\n"


@pytest.fixture
def recipe(empty_scene, recorded, tmp_path):
    """A recipe beside its recording, with a figure of the hall and one of a layer in another look."""
    path = tmp_path / "mine.toml"
    path.write_text(
        f'schema = 1\nrecording = "{recorded.relative_to(tmp_path)}"\n[look]\ntheme = "paper"\n'
        f'[[figures]]\noutput = "hall.png"\n{SMALL}[[figures]]\noutput = "one/layer.png"\npreset = "layer"\n'
        f'layer = "b"\ntheme = "dark"\n{SMALL}'
    )
    return path


def test_figures_are_those_of_the_command_figure(recipe, recorded, tmp_path, capsys):
    assert cli.main(["render", str(recipe), "-o", str(tmp_path / "out")]) == 0
    assert "saved" in capsys.readouterr().out
    size = ["--size", "160x90", "--samples", "1"]
    for name, options in (
        ("hall", ["--theme", "paper"]),
        ("one/layer", ["--preset", "layer", "--layer", "b", "--theme", "dark"]),
    ):
        cli.main(["figure", str(recorded), "-o", str(tmp_path / "same.png"), *options, *size])
        same = np.array_equal(read_picture(tmp_path / "same.png"), read_picture(tmp_path / "out" / f"{name}.png"))
        assert same, name


def test_a_check_finds_what_has_changed(recipe, tmp_path, capsys):
    render = ["render", str(recipe), "-o", str(tmp_path / "out")]
    assert cli.main(render) == cli.main([*render, "--check"]) == 0
    assert capsys.readouterr().out.count(": the same") == 2
    recipe.write_text(recipe.read_text().replace('theme = "paper"', 'theme = "dark"'))
    assert cli.main([*render, "--check"]) == 2
    said = capsys.readouterr()
    assert "hall.png: another picture" in said.out and "1 of 2 figures are not the same" in said.err
    (tmp_path / "out" / "hall.png").unlink()
    assert cli.main([*render, "--check"]) == 2


def test_a_check_takes_any_file_for_a_picture(recipe, tmp_path, capsys):
    out = tmp_path / "out"
    cli.main(["render", str(recipe), "-o", str(out)])
    picture = (out / "hall.png").read_bytes()
    huge = picture[:16] + struct.pack(">2I", 60_000, 60_000) + picture[24:]
    for content, says in (
        (None, "not there"),
        (b"%!PS", "no PNG file"),
        (huge, "another size"),
        (picture[:60], "no pic"),
    ):
        (out / "hall.png").unlink(missing_ok=True)
        if content is None:
            os.mkfifo(out / "hall.png")
        else:
            (out / "hall.png").write_bytes(content)
        assert cli.main(["render", str(recipe), "-o", str(out), "--check"]) == 2
        assert f"hall.png: {says}" in capsys.readouterr().out


def test_no_link_leads_out_of_the_folder(recipe, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "one").symlink_to(tmp_path / "elsewhere")
    assert cli.main(["render", str(recipe), "-o", str(tmp_path / "out")]) == 2
    assert "a link leads out of" in capsys.readouterr().err and not list((tmp_path / "elsewhere").iterdir())


def test_a_refused_recording_leaves_no_folder(recipe, tmp_path):
    recipe.write_text(recipe.read_text().replace("recording = ", 'recording = "none" # '))
    assert cli.main(["render", str(recipe), "-o", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


def test_a_written_recipe_can_be_rendered_and_knows_its_recording(empty_scene, recorded, tmp_path, capsys):
    written = tmp_path / "w.toml"
    assert cli.main(["recipe", str(recorded), "-o", str(written)]) == 0
    written.write_text(written.read_text().replace("# samples = 32", "samples = 1").replace("# size", "size"))
    written.write_text(written.read_text().replace("[1920, 1080]", "[160, 90]"))
    (recorded / "recording.json").write_text((recorded / "recording.json").read_text() + " ")
    assert cli.main(["render", str(written), "-o", str(tmp_path / "out")]) == 0
    assert "recording.json is not the file that the recipe was written for" in capsys.readouterr().out


def test_panels_stand_where_the_recipe_moves_them(recipe, tmp_path):
    render = ["render", str(recipe), "-o", str(tmp_path / "out")]
    cli.main(render)
    before = read_picture(tmp_path / "out" / "hall.png")
    text = recipe.read_text()
    recipe.write_text(
        text.replace("[[figures]]", "[look.moved]\na = [1,0,0,9, 0,1,0,0, 0,0,1,0, 0,0,0,1]\n[[figures]]", 1)
    )
    assert cli.main(render) == 0
    assert not np.array_equal(read_picture(tmp_path / "out" / "hall.png"), before)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('layer = "b"', 'layer = "bb"'), "no panel of layer 'bb'"),
        (
            ('theme = "paper"', 'theme = "paper"\nmoved = {x = [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1]}'),
            "no panel of layer 'x'",
        ),
        (('preset = "layer"\nlayer = "b"', 'method = "grad_cam"'), "grad_cam"),
        (("recording = ", 'recording = "none" # '), "none"),
    ],
)
def test_what_is_wrong_is_one_line(recipe, tmp_path, capsys, change, says):
    recipe.write_text(recipe.read_text().replace(*change))
    assert cli.main(["render", str(recipe), "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_code_needs_trust(empty_scene, tmp_path, capsys, monkeypatch):
    pytest.importorskip("torch", reason="needs torch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strange.py").write_text(
        "print('it runs')\nimport torch\ndef build(): return torch.nn.Conv2d(3, 4, 3)\n"
    )
    path = tmp_path / "r.toml"
    path.write_text(
        'schema = 1\n[network]\nmodel = "strange:build"\nsize = [16, 16]\n[[inputs]]\nsource = "noise:1"\n'
        f'[[figures]]\noutput = "a.png"\n{SMALL}'
    )
    assert cli.main(["render", str(path), "-o", "out"]) == 2
    said = capsys.readouterr()
    assert "add --trust" in said.err and "it runs" not in said.out and "strange" not in sys.modules
    assert cli.main(["render", str(path), "-o", "out", "--trust"]) == 0
    assert (tmp_path / "out" / "a.png").is_file()


def test_a_network_is_recorded_and_asked_once(empty_scene, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs torch")
    from innerwalk.scenes import ask as asking
    from innerwalk.torch_bridge import subject

    calls = []
    for module, name in ((subject, "record_from"), (asking, "answer")):
        run = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args, run=run, name=name: calls.append(name) or run(*args))
    path = tmp_path / "r.toml"
    ask = 'method = "grad_cam"\nlayers = ["stage3*"]\nparameters = {of_class = 2}\n'
    path.write_text(
        f'schema = 1\n[network]\nmodel = "object"\n[[figures]]\noutput = "a.png"\n{ask}{SMALL}'
        f'[[figures]]\noutput = "b.png"\n{SMALL}[[figures]]\noutput = "c.png"\n{SMALL}'
        f'[[figures]]\noutput = "d.png"\ntheme = "paper"\n{ask}{SMALL}'
    )
    assert cli.main(["render", str(path), "-o", str(tmp_path / "out")]) == 0
    assert calls == ["answer", "record_from"]
    made = {name: read_picture(tmp_path / "out" / f"{name}.png") for name in "abcd"}
    assert np.array_equal(made["b"], made["c"]) and not np.array_equal(made["a"], made["b"])


def test_a_flat_figure_is_that_of_the_command_figure(recipe, recorded, tmp_path):
    flat = '[[figures]]\noutput = "p.svg"\npreset = "plate"\nwidth = 85\n'
    recipe.write_text(f'schema = 1\nrecording = "{recorded.name}"\n{flat}')
    assert cli.main(["render", str(recipe), "-o", str(tmp_path / "out")]) == 0
    cli.main(["figure", str(recorded), "-o", str(tmp_path / "p.svg"), "--preset", "plate", "--width", "85mm"])
    assert (tmp_path / "p.svg").read_bytes() == (tmp_path / "out" / "p.svg").read_bytes()
    assert cli.main(["render", str(recipe), "-o", str(tmp_path / "out"), "--check"]) == 0


def test_the_shipped_recipe_is_right(tmp_path):
    pytest.importorskip("torch", reason="needs torch")
    text = (Path(cli.__file__).parent / "figure.toml").read_text()
    path = tmp_path / "figure.toml"
    path.write_text(text.replace('.png"\n', f'.png"\n{SMALL}'))
    assert cli.main(["render", str(path), "-o", str(tmp_path / "out")]) == 0
    assert sorted(made.name for made in (tmp_path / "out").iterdir()) == [
        "grad_cam.png",
        "hall.png",
        "layer.png",
        "plate.pdf",
    ]


def test_the_commands_of_the_page_run_as_they_stand_there(empty_scene, recorded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(preset_scene, "SIZE", (160, 90))
    monkeypatch.setattr(preset_scene, "SAMPLES", 1)
    recorded.rename(tmp_path / "parrot")
    page = (Path(cli.__file__).parent.parent / "docs" / "recipes.md").read_text("utf-8")
    commands = page.split("```")[1].strip().splitlines()
    assert len(commands) == 4
    for command in commands:
        assert cli.main(shlex.split(command, comments=True)[1:]) == 0, command
    assert (tmp_path / "figures" / "overview.png").is_file()


def test_the_schema_is_printed(capsys):
    assert cli.main(["recipe", "--schema"]) == 0
    assert '"additionalProperties": false' in capsys.readouterr().out
    assert cli.main(["recipe"]) == 2


def test_the_network_of_a_recipe_is_what_a_file_of_networks_states():
    pytest.importorskip("torch", reason="needs torch")
    from innerwalk.blender_addon.recipes.fields import INTERPOLATIONS, NETWORK
    from innerwalk.torch_bridge.inputs.preprocess import INTERPOLATIONS as KNOWN
    from innerwalk.torch_bridge.server.spec_fields import SPEC_FIELDS

    assert set(NETWORK) - {"weights_sha256"} <= set(SPEC_FIELDS) and set(INTERPOLATIONS) <= set(KNOWN)


@pytest.mark.parametrize("name", ["sub", "sub/deeper"])
def test_a_file_where_a_figures_folder_should_be_is_one_line(tmp_path, name):
    from innerwalk.scenes.render_recipe import place_of

    (tmp_path / "sub").write_text("in the way")
    with pytest.raises(SceneError, match=r"sub.*: it is a file, or in one; a folder is needed"):
        place_of(tmp_path, f"{name}/a.png")
