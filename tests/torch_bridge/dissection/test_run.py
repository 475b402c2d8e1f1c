"""Whole dissections: planted detectors, shards and resumed runs with the same bits, wrong folders and files."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from PIL import Image
from torch import nn

from innerwalk.torch_bridge.data import masks, open_data
from innerwalk.torch_bridge.dissection import run as dissection_run
from innerwalk.torch_bridge.dissection.findings import count_detectors
from innerwalk.torch_bridge.dissection.page import page_of
from innerwalk.torch_bridge.dissection.report import write_report
from innerwalk.torch_bridge.dissection.run import Dissection, DissectionSettings
from innerwalk.torch_bridge.models.build import BuiltModel
from innerwalk.torch_bridge.recording import ignore_progress
from innerwalk.torch_bridge.recording.errors import InputError
from innerwalk.torch_bridge.recording.safetensors import encode, open_arrays
from innerwalk.torch_bridge.server.in_process import ask
from innerwalk.torch_bridge.server.loaded_model import LoadedModel
from innerwalk.torch_bridge.server.priority_lock import PriorityLock
from innerwalk.torch_bridge.subject import RecordSpec, prepare

SIDE, PICTURES = 16, 12


class Planted(nn.Module):
    """Unit 0 sees red, unit 1 green, unit 2 never anything."""

    def __init__(self):
        super().__init__()
        self.units = nn.Conv2d(3, 3, 1, bias=False)
        self.units.weight.data = torch.tensor([[1.0, -1, -1], [-1, 1.0, -1], [-1, -1, -1]])[:, :, None, None]
        self.act = nn.ReLU()

    def forward(self, picture):
        return self.act(self.units(picture)).mean((2, 3))


@pytest.fixture
def data_folder(tmp_path):
    """Pictures with a red and a green square each, whose masks are known."""
    folder = tmp_path / "data"
    for name in ("images", "masks/shape", "masks/ground"):
        (folder / name).mkdir(parents=True)
    (folder / "concepts.csv").write_text(
        "number,name,category\n1,red thing,shape\n2,green thing,shape\n3,dark,ground\n"
    )
    generator = np.random.default_rng(0)
    for k in range(PICTURES):
        picture, shape = np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
        for colour in (0, 1):
            y, x = generator.integers(0, SIDE - 3, 2)
            picture[y : y + 2, x : x + 2], shape[y : y + 2, x : x + 2] = 0, 0
            picture[y : y + 2, x : x + 2, colour], shape[y : y + 2, x : x + 2] = 255, colour + 1
        Image.fromarray(picture).save(folder / "images" / f"p{k:02d}.png")
        Image.fromarray(shape).save(folder / "masks" / "shape" / f"p{k:02d}.png")
        Image.fromarray(np.where(shape > 0, 0, 3).astype(np.uint8)).save(folder / "masks" / "ground" / f"p{k:02d}.png")
    return folder


def loaded(**options) -> LoadedModel:
    known = {"size": (SIDE, SIDE), "mean": (0.0,), "std": (1.0,), "inputs": (f"noise:0:3x{SIDE}x{SIDE}",)}
    spec = RecordSpec(model="", **known | options)
    subject = prepare(spec, built=BuiltModel(Planted().eval(), "planted"))
    return LoadedModel("planted", spec, torch.device("cpu"), PriorityLock(), subject)


@pytest.fixture
def dissect(data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(dissection_run, "PART", 5)

    def run(name="out", **settings) -> Dissection:
        chosen = DissectionSettings(**{"layers": ("act",), "quantile": 0.02} | settings)
        return Dissection(loaded(), open_data(str(data_folder)), chosen, tmp_path / name)

    return run


def test_planted_detectors_get_their_label(dissect):
    dissection = dissect()
    assert dissection.run(ignore_progress) == ""
    [layer] = dissection.results()
    assert [finding.best.concept for finding in layer.findings[:2]] == ["red thing", "green thing"]
    assert all(finding.best.iou == pytest.approx(1.0, abs=0.35) for finding in layer.findings[:2])
    assert layer.findings[2].best.iou == 0 and layer.unit_pixels[2] == 0
    assert count_detectors(layer.findings)["shape"] == 2


def test_shards_and_a_resumed_run_have_the_same_bits(dissect):
    whole = dissect("whole")
    whole.run(ignore_progress)
    shared = [dissect("shared") for _ in range(3)]
    said = [one.run(ignore_progress, (number, 3)) for number, one in enumerate(shared, 1)]
    assert said[0].startswith("the first pass is done") and said[2].startswith("both passes are done here")
    assert (
        shared[0].run(ignore_progress, (1, 3)).startswith("both passes")
        and shared[1].run(ignore_progress, (2, 3)) == ""
    )
    shared[0].folder.path("counts", 1).write_bytes(b"broken")
    shared[0].folder.path("values", 2).unlink()
    assert dissect("shared").run(ignore_progress) == ""  # both are made again
    for one, other in zip(whole.results(), shared[0].results(), strict=True):
        assert one.findings == other.findings and np.array_equal(one.thresholds, other.thresholds)
        assert np.array_equal(one.best.pictures, other.best.pictures)
    own, others = whole.counts("act").both.entries(), shared[0].counts("act").both.entries()
    assert all(map(np.array_equal, own, others))


def test_a_part_with_octaves_that_no_values_have_is_run_again(dissect):
    dissection = dissect()
    dissection.run(ignore_progress)
    thresholds, path = dissection.results()[0].thresholds, dissection.folder.path("values", 0)
    arrays = {name: np.array(array) for name, array in open_arrays(path)[0].items()}
    arrays["0:top"][0] = 3000
    path.write_bytes(b"".join(encode(arrays)))
    assert not dissection.is_there("values", 0)
    assert dissect().run(ignore_progress) == "" and np.array_equal(dissection.results()[0].thresholds, thresholds)


@pytest.mark.parametrize("count", [2, 7])
def test_any_number_of_shards_gives_the_bits_of_one(dissect, monkeypatch, count):
    monkeypatch.setattr(dissection_run, "PART", 2)
    alone, shards = dissect("alone"), [dissect("shared") for _ in range(count)]
    alone.run(ignore_progress)
    for _ in range(2):
        said = [shard.run(ignore_progress, (number, count)) for number, shard in enumerate(shards, 1)]
    assert said[-1] == "" and len(alone.parts) == 6
    own, other = alone.results()[0], shards[0].results()[0]
    assert own.findings == other.findings and own.thresholds.tobytes() == other.thresholds.tobytes()
    entries = (found.counts("act").both.entries() for found in (alone, shards[-1]))
    assert all(map(np.array_equal, *entries))


def test_a_rotated_basis_has_other_units(dissect):
    plain, rotated = dissect("plain"), dissect("rotated", rotation=4)
    for one in (plain, rotated):
        one.run(ignore_progress)
    assert plain.results()[0].findings != rotated.results()[0].findings


def test_a_folder_holds_one_dissection(dissect):
    dissect()
    with pytest.raises(InputError, match=r"another quantile \(0.02, not 0.5\); name a new folder"):
        dissect(quantile=0.5)


def test_pictures_that_are_damaged_or_wrongly_labelled_are_left_out_and_named(dissect, data_folder):
    (data_folder / "images" / "p03.png").write_bytes(b"no picture")
    Image.new("L", (9, 4)).save(data_folder / "masks" / "shape" / "p05.png")
    Image.new("L", (SIDE, SIDE), 77).save(data_folder / "masks" / "shape" / "p07.png")
    dissection = dissect()
    dissection.run(ignore_progress)
    [layer] = dissection.results()
    assert sorted(dissection.unreadable) == [3, 5, 7] and layer.pictures == PICTURES - 3


def test_what_decides_the_results_is_not_changed_in_a_folder(dissect, data_folder, tmp_path):
    dissect().run(ignore_progress)
    with pytest.raises(InputError, match=r"another number of pictures \(12, not 7\)"):
        dissect(count=7)
    for options, said in (
        ({"mean": (0.5,)}, "another preprocessing"),
        ({"ablate": {"units": (1,)}}, "ablated channels"),
    ):
        with pytest.raises(InputError, match=said):
            Dissection(
                loaded(**options),
                open_data(str(data_folder)),
                DissectionSettings(("act",), quantile=0.02),
                tmp_path / "out",
            )
    (data_folder / "masks" / "shape" / "p04.png").unlink()
    with pytest.raises(InputError, match="another content of the data set"):
        dissect()


def test_a_part_without_a_readable_picture_stops_nothing(dissect, data_folder):
    for name in ("p10", "p11"):  # all of the last part
        (data_folder / "images" / f"{name}.png").write_bytes(b"no picture")
    dissection = dissect()
    assert dissection.run(ignore_progress) == ""
    [layer] = dissection.results()
    assert dissection.unreadable == {10, 11} and layer.pictures == 10 and layer.findings[0].best.concept == "red thing"


def test_masks_that_are_all_wrong_are_an_error_that_says_why(dissect, data_folder):
    for path in (data_folder / "masks" / "shape").iterdir():
        path.write_bytes(b"no picture")
    dissection = dissect()
    dissection.run(ignore_progress)
    with pytest.raises(InputError, match="no picture can be used; the first: .*p00.png: can't be read"):
        dissection.results()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("number,name\n1,red\n", "it has no column category"),
        ("number,name,category\n2,red,shape\n", "its numbers must be 1, 2, 3"),
        ("number,name,category\n1,red,shape\n1,blue,shape\n", "in order, each once"),
        ("number,name,category\n1,red\n", "not as many fields"),
        ("number,name,category\n1,,shape\n", "has no name or no category"),
        ("number,name,category\n1,red,../../secret\n", "category '../../secret' can't be the name of a folder"),
        ("number,name,category\n1,a\x1b[31mred,shape\n", "concept 1 'a.*red' has characters that can't be printed"),
        ('number,name,category\n1,"a\nb",shape\n', "has characters that can't be printed"),
        ("number,name,category\n1,\u202eder,shape\n", "has characters that can't be printed"),
        (f"number,name,category\n1,{'x' * 201},shape\n", "concept 1 has 201 characters; at most 200"),
        (f"number,name,category\n1,red,{'x' * 300}\n", "can't be the name of a folder"),
        ("number,name,category\n" + "".join(f"{k},red,c{k}\n" for k in range(1, 66)), "65 categories; at most 64"),
        ("number,name,category\n" + "1,red,shape\n" * 20_001, "more than 20,000 rows"),
        ("\udcff".encode("utf-8", "surrogateescape"), "not a table in UTF-8"),
    ],
)
def test_a_wrong_table_is_one_line(data_folder, table, said):
    (data_folder / "concepts.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    with pytest.raises(InputError, match=said):
        open_data(str(data_folder))


def test_unlabelled_data_are_refused(tmp_path, data_folder):
    with pytest.raises(InputError, match="its pixels have no labels"):
        Dissection(loaded(), open_data(str(data_folder / "images")), DissectionSettings(("act",)), tmp_path / "x")


def test_brodens_layout_is_read(data_folder, tmp_path):
    folder = tmp_path / "broden"
    (folder / "images").mkdir(parents=True)
    mask = np.zeros((4, 4, 3), np.uint8)
    mask[0, 0], mask[1, 1] = (1, 0, 0), (2, 0, 0)
    Image.fromarray(mask).save(folder / "images" / "m.png")
    Image.new("RGB", (8, 8)).save(folder / "images" / "a.jpg")
    head = "image,split,ih,iw,sh,sw,color,object,part,material,scene,texture\n"
    (folder / "index.csv").write_text(head + "a.jpg,train,8,8,4,4,,m.png,,,2,\n../x.jpg,val,8,8,4,4,,,,,,\n")
    (folder / "label.csv").write_text("number,name,category,frequency\n1,cat,object(3),3\n2,field,scene(1),1\n")
    data = open_data(str(folder))
    labels = data.pixel_labels(0)
    assert data.concept_table == (("cat", "object"), ("field", "scene"))
    assert labels.maps[0, :2, :2].tolist() == [[1, 0], [0, 2]] and labels.whole.tolist() == [2]
    with pytest.raises(InputError, match="leads out of the folder"):
        data.picture(1)


@pytest.mark.parametrize(
    ("index", "label", "said"),
    [
        ("a.jpg,m\0.png", "1", "leads out of the folder"),
        ("a.jpg," + "1;" * 257, "1", "257 of the whole picture; at most 256"),
        ("a.jpg," + "m.png;" * 65, "1", "65 masks; at most 64"),
        ("a.jpg,tall.png;wide.png", "1", "2 masks of up to 9000 × 9000 pixels"),
        ("a.jpg," + "tall.png;" * 64, "1", "too many pixels beside the picture's other masks"),
        ("a.jpg,m.png", "1" * 5000, "its numbers must be 1 to 1"),
        ("a.jpg,m.png", "1,dog,object(2)\n1", "number 1 is there twice"),
    ],
)
def test_a_strangers_broden_fills_no_memory(tmp_path, monkeypatch, index, label, said):
    (tmp_path / "images").mkdir()
    for name, size in (("m", (4, 4)), ("tall", (1, 9000)), ("wide", (9000, 1))):
        Image.new("RGB", size).save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "index.csv").write_text(f"image,object\n{index}\n")
    (tmp_path / "label.csv").write_text(f"number,name,category\n{label},cat,object(3)\n")
    monkeypatch.setattr(masks, "MAX_LABELS", 500_000)
    with pytest.raises(InputError, match=said):
        open_data(str(tmp_path)).pixel_labels(0)


def test_the_page_runs_nothing_of_a_stranger(dissect, tmp_path):
    dissection = dissect()
    dissection.run(ignore_progress)
    about = {**dissection.folder.about, "rule": "category", "network": "</title><script>alert(1)</script>"}
    summary = write_report(tmp_path, about, dissection.results(), {"act": "act"})
    text = page_of(summary, [{"layer": "</template><script>alert(2)</script>", "unit": 0}])
    assert text.count("<script>") == 1 and "alert(2)" in text and "default-src 'none'" in text
    assert (tmp_path / "act.csv").is_file() and (tmp_path / "report.html").read_text().count("<script>") == 1
    assert summary["layers"][0]["number of detectors"] == 2 and summary["layers"][0]["silent units"] == 1


def test_the_method_shows_best_pictures_with_labels(data_folder):
    model, picture = Planted().eval(), torch.zeros(1, 3, SIDE, SIDE)
    found = ask(
        model, picture, "dissection", "act", data=str(data_folder), quantile=0.02, mean=(0.0,), std=(1.0,)
    ).maps("act", "dissection")
    assert [label.partition(" .")[0] or label for label in found.labels][:2] == ["red thing", "green thing"] or all(
        label.startswith(name) for label, name in zip(found.labels[:2], ("red thing", "green thing"), strict=True)
    )
    assert found.labels[2] == "" and found.extras["values"][2] == 0
    best = found.texels[0, ..., :3]
    assert best.max() == 1.0 and (best[..., 0].max(), best[..., 1].max()) == (1.0, 0.25)  # the green square is outside
