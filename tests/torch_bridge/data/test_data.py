"""Data sets of every kind, selection from them, thumbnails, and errors."""

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image", reason="needs Pillow")

from innerwalk.torch_bridge import concepts  # noqa: E402
from innerwalk.torch_bridge.data import (  # noqa: E402
    DataSet,
    make_thumbnails,
    open_data,
    page_indices,
    random_indices,
    search_classes,
)
from innerwalk.torch_bridge.data.archive import MAX_UNPACKED  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
TREE = {"cat/b.png": GREEN, "cat/a.png": RED, "dog/1/deep.png": BLUE, "dog/z.PNG": RED, "wild cat/c.png": BLUE}
IN_ORDER = ["cat/a.png", "cat/b.png", "dog/1/deep.png", "dog/z.PNG", "wild cat/c.png"]


def png(colour, size=(8, 6), mode="RGB") -> bytes:
    Image.new(mode, size, colour).save(held := io.BytesIO(), "png")
    return held.getvalue()


def folder_of(path: Path, tree: dict) -> Path:
    for name, colour in tree.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(colour if isinstance(colour, bytes) else png(colour))
    return path


def zip_of(path: Path, tree: dict, **how) -> Path:
    with zipfile.ZipFile(path, "w", **how) as file:
        for name, colour in tree.items():
            file.writestr(name, colour if isinstance(colour, bytes) else png(colour))
    return path


def idx_of(path: Path, values: np.ndarray) -> Path:
    head = bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    written = head + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(written) if path.suffix == ".gz" else written)
    return path


def refused(text, *phrases: str) -> None:
    with pytest.raises(InputError) as error:
        open_data(str(text))
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in phrases), error.value


def unreadable(data: DataSet, index: int, *phrases: str) -> None:
    with pytest.raises(InputError) as error:
        data.picture(index)
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in phrases), error.value


def colours(data: DataSet) -> list[tuple]:
    return [data.picture(index).convert("RGB").getpixel((3, 3)) for index in range(len(data))]


# folders and archives


@pytest.fixture(params=["folder", "zip", "zip with a folder around"])
def tree(request, tmp_path) -> DataSet:
    if request.param == "folder":
        return open_data(str(folder_of(tmp_path / "set", TREE)))
    around = "photos/of mine/" if "around" in request.param else ""
    return open_data(str(zip_of(tmp_path / "set.zip", {around + name: colour for name, colour in TREE.items()})))


def test_sub_folders_are_classes_in_order(tree):
    assert (tree.name, tree.classes) == ("set", ("cat", "dog", "wild cat"))
    assert [tree.label(index) for index in range(len(tree))] == [0, 0, 1, 1, 2]
    assert [tree.title(index) for index in range(len(tree))] == [name.split("/")[-1] for name in IN_ORDER]
    assert colours(tree) == [TREE[name] for name in IN_ORDER]


@pytest.mark.parametrize("index", [-1, 5])
def test_an_index_that_is_not_there_is_told(tree, index):
    for access in (tree.picture, tree.label, tree.title, lambda index: make_thumbnails(tree, [index], 16)):
        with pytest.raises(InputError, match=f"there is no picture {index}; they are 0 to 4"):
            access(index)


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_flat_set_has_no_classes(tmp_path, kind):
    flat = {"b.png": GREEN, "a.jpg": png(RED), "readme.txt": b"words", "c.png": BLUE}
    path = folder_of(tmp_path / "set", flat) if kind == "folder" else zip_of(tmp_path / "set.zip", flat)
    data = open_data(str(path), "mine")
    assert (data.name, data.classes, len(data), data.label(0)) == ("mine", (), 3, -1)
    assert colours(data) == [RED, GREEN, BLUE]
    assert search_classes(data, "") == []


def test_a_loose_picture_beside_classes_has_none(tmp_path):
    data = open_data(str(folder_of(tmp_path, {"a/1.png": RED, "z.png": BLUE})))
    assert ([data.title(0), data.title(1)], data.labels.tolist()) == (["z.png", "1.png"], [-1, 0])


def test_files_are_opened_when_asked_for(tmp_path):
    data = open_data(str(folder_of(tmp_path, {"a.png": b"damaged", "b.png": RED, "c.png": BLUE})))
    (tmp_path / "c.png").unlink()
    unreadable(data, 0, "a.png", "not a picture")
    unreadable(data, 2, "c.png", "no such file")
    assert data.picture(1).getpixel((0, 0)) == RED


def test_hidden_and_odd_names_are_left_out(tmp_path):
    tree = {"a/1.png": RED, ".git/2.png": RED, "a/._1.png": b"", "__MACOSX/a/1.png": b"", "a/\x07.png": RED}
    assert open_data(str(folder_of(tmp_path / "set", tree))).classes == ("a",)
    hostile = {"../up.png": RED, "/etc/root.png": RED, "a/../../b.png": RED, "a\\..\\w.png": RED, "a//e.png": RED}
    data = open_data(str(zip_of(tmp_path / "set.zip", tree | hostile)))
    assert [data.title(index) for index in range(len(data))] == ["1.png"]


def test_links_that_lead_out_are_not_followed(tmp_path):
    folder_of(tmp_path, {"secret/s.png": RED, "set/in.png": BLUE, "set/sub/k.png": GREEN})
    (tmp_path / "set" / "file.png").symlink_to(tmp_path / "secret" / "s.png")
    (tmp_path / "set" / "folder").symlink_to(tmp_path / "secret")
    (tmp_path / "set" / "again.png").symlink_to("in.png")
    (tmp_path / "set" / "sub" / "round").symlink_to(tmp_path / "set")
    data = open_data(str(tmp_path / "set"))
    assert [data.title(index) for index in range(len(data))] == ["again.png", "in.png", "k.png"]
    (tmp_path / "set" / "in.png").unlink()
    (tmp_path / "set" / "in.png").symlink_to(tmp_path / "secret" / "s.png")  # after it was listed
    unreadable(data, 1, "in.png", "leads out")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_link_in_a_circle_is_left_out(tmp_path):
    folder = folder_of(tmp_path / "set", {"a.png": png("red")})
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "there.png").symlink_to("back.png")
    (folder / "back.png").symlink_to("there.png")
    assert len(open_data(str(folder))) == 1


def test_a_pipe_is_no_picture(tmp_path):
    os.mkfifo(folder_of(tmp_path, {"a.png": RED}) / "pipe.png")
    assert len(open_data(str(tmp_path))) == 1


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user who may be refused")
def test_a_closed_folder_is_told(tmp_path):
    folder_of(tmp_path, {"a/1.png": RED})
    (tmp_path / "a").chmod(0)
    refused(tmp_path, "can't be read")
    (tmp_path / "a").chmod(0o700)


def test_what_is_no_data_set_is_told(tmp_path):
    (tmp_path / "text.zip").write_text("no archive")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "missing", "missing", "no such folder", "concepts:object")
    refused(tmp_path / ("x" * 300), "no such folder")
    refused(tmp_path / "empty", "no picture in it", ".png")
    refused(tmp_path / "text.zip", "not a .zip")
    refused(zip_of(tmp_path / "words.zip", {"a.txt": b"words"}), "no picture in it")
    refused("concepts:colour", "concepts:colour", "concepts:object or concepts:pair or concepts:shapes")


# hostile archives


def patched(path: Path, offset: int, value: bytes) -> Path:
    """Bytes of the first entry of the archive's table of contents, replaced."""
    written = bytearray(path.read_bytes())
    start = written.index(b"PK\x01\x02") + offset
    written[start : start + len(value)] = value
    path.write_bytes(written)
    return path


DECLARED, FLAGS, METHOD = 24, 8, 10


def test_a_zip_bomb_is_refused_by_its_declared_size(tmp_path):
    path = zip_of(tmp_path / "bomb.zip", {"cat/a.png": RED})
    refused(patched(path, DECLARED, struct.pack("<I", MAX_UNPACKED + (1 << 20))), "cat/a.png", "257 MiB")


def test_a_size_that_lies_is_not_believed(tmp_path):
    path = zip_of(tmp_path / "bomb.zip", {"a.png": bytes(50 << 20)}, compression=zipfile.ZIP_DEFLATED)
    data = open_data(str(patched(path, DECLARED, struct.pack("<I", 1000))))
    unreadable(data, 0, "a.png", "can't be unpacked")


@pytest.mark.parametrize(("offset", "value"), [(FLAGS, b"\x01"), (METHOD, b"\x63")])
def test_an_encrypted_or_unknown_entry_does_not_stop_the_others(tmp_path, offset, value):
    data = open_data(str(patched(zip_of(tmp_path / "set.zip", {"a.png": RED, "b.png": BLUE}), offset, value)))
    unreadable(data, 0, "a.png", "can't be unpacked")
    assert data.picture(1).getpixel((0, 0)) == BLUE


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_an_archive_that_is_cut_off_is_told(tmp_path, keep):
    path = zip_of(tmp_path / "cut.zip", TREE)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    refused(path, "cut.zip", "damaged")


# idx


DIGITS = np.arange(4 * 5 * 3).reshape(4, 5, 3)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("dot", ["-", "."])
def test_idx_files_are_read_with_their_labels(tmp_path, packed, dot):
    images = idx_of(tmp_path / f"some-images{dot}idx3-ubyte{packed}", DIGITS)
    assert (open_data(str(tmp_path)).classes, open_data(str(images)).label(3)) == ((), -1)
    idx_of(tmp_path / f"some-labels{dot}idx1-ubyte{packed}", np.array([2, 0, 1, 2]))
    data = open_data(str(tmp_path))
    assert (data.name, data.classes, data.title(3)) == (tmp_path.name, ("0", "1", "2"), f"{tmp_path.name} 3")
    assert data.labels.tolist() == [2, 0, 1, 2]
    assert all(np.array_equal(np.asarray(data.picture(k)), DIGITS[k]) for k in range(4))
    assert search_classes(data, "2") == [("2", 2)]


def test_of_two_idx_sets_one_must_be_named(tmp_path):
    for name in ("t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"):
        idx_of(tmp_path / name, DIGITS)
    assert len(open_data(str(tmp_path))) == 4
    train = idx_of(tmp_path / "train-images-idx3-ubyte", DIGITS[:1])
    refused(tmp_path, "2 sets", str(train))
    assert len(open_data(str(train))) == 1


def test_idx_sizes_that_lie_are_told(tmp_path):
    path = idx_of(tmp_path / "images-idx3-ubyte", DIGITS)
    whole = path.read_bytes()
    for written, phrase in (
        (whole[:-1], "has 59 bytes"),
        (whole + b"x", "has more"),
        (whole[:10], "not an idx file"),
        (b"\0\0\x08\x01" + whole[4:], "not an idx file"),
        (whole[:4] + b"\xff" * 12, "1 byte to 1 GiB"),
        (whole[:4] + bytes(12), "1 byte to 1 GiB"),
    ):
        path.write_bytes(written)
        refused(path, str(path), phrase)
    path.write_bytes(whole)
    idx_of(tmp_path / "labels-idx1-ubyte", np.array([1, 2]))
    refused(path, "2 labels for the 4 pictures")


def test_a_damaged_gz_is_told(tmp_path):
    path = idx_of(tmp_path / "images-idx3-ubyte.gz", DIGITS)
    whole = path.read_bytes()
    for written in (whole[: len(whole) // 2], b"no gzip at all", whole[:14] + b"\xff\xff\xff" + whole[17:]):
        path.write_bytes(written)
        refused(path, "damaged")


# concepts


@pytest.mark.parametrize("task", ["object", "pair"])
def test_the_shipped_pictures_are_those_of_the_validation_split(task):
    data = open_data(f"concepts:{task}")
    assert (data.name, len(data), data.title(17)) == (f"concepts {task}", 2000, f"concepts {task} 17")
    assert data.classes == concepts.class_names(task)
    for index in (0, 17, 1999):
        known = concepts.sample(0, concepts.SPLITS["validation"], index, task=task)
        assert np.array_equal(np.asarray(data.picture(index)), known.image)
        assert data.label(index) == known.label


# choosing


def test_a_draw_repeats_with_its_seed_and_nothing_in_itself():
    data = open_data("concepts:object")
    first = random_indices(data, 24, seed=3)
    assert first == random_indices(data, 24, seed=3) != random_indices(data, 24, seed=4)
    assert first[:5] == random_indices(data, 5, seed=3)
    assert len(set(first)) == 24
    assert sorted(random_indices(data, 9999, seed=0)) == list(range(2000))
    assert random_indices(data, -1, seed=0) == []


def test_a_class_is_drawn_and_paged_by_name():
    data = open_data("concepts:object")
    stars = [index for index in range(2000) if data.classes[data.label(index)] == "star"]
    assert set(random_indices(data, 24, 0, "star")) < set(stars)
    assert sorted(random_indices(data, 9999, 0, "star")) == stars
    assert page_indices(data, 10, 4, "star") == stars[10:14]
    assert page_indices(data, 1998, 24) == [1998, 1999]
    assert (page_indices(data, 2000, 24), page_indices(data, -5, 2)) == ([], [0, 1])


def test_what_can_not_be_drawn_is_told():
    data = open_data("concepts:object")
    with pytest.raises(UnknownName, match="'stra'; did you mean star"):
        random_indices(data, 1, 0, "stra")
    with pytest.raises(UnknownName):
        page_indices(data, 0, 1, "")
    with pytest.raises(InputError, match="seed -1"):
        random_indices(data, 1, -1)


def test_classes_are_found_by_a_part_of_their_name(tree):
    assert search_classes(tree, "CAT ") == [("cat", 2), ("wild cat", 1)]
    assert search_classes(tree, "") == [("cat", 2), ("dog", 2), ("wild cat", 1)]
    assert search_classes(tree, "owl") == []


# thumbnails


def test_a_thumbnail_keeps_the_shape_in_the_middle(tmp_path):
    tree = {"0.png": png(RED, (200, 100)), "1.png": png(GREEN, (5, 10)), "2.png": png(BLUE, (3000, 1))}
    wide, tall, line = make_thumbnails(open_data(str(folder_of(tmp_path, tree))), [0, 1, 2], 64).astype(int)
    ground = wide[0, 0].tolist()
    assert max(ground) < 60 and max(ground) - min(ground) < 4
    for tile, colour, inside in (
        (wide, RED, np.s_[16:48, :]),
        (tall, GREEN, np.s_[:, 16:48]),
        (line, BLUE, np.s_[31:32, :]),
    ):
        expected = np.full((64, 64, 3), ground)
        expected[inside] = colour
        assert np.array_equal(tile, expected)


def test_thumbnails_are_rgb_on_white_and_upright(tmp_path):
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 4, 8))
    clear.save(tmp_path / "a.png")
    Image.new("L", (8, 8), 77).save(tmp_path / "b.png")
    turned = Image.new("RGB", (800, 400), BLUE)
    turned.paste(RED, (0, 0, 400, 400))
    exif = Image.Exif()
    exif[274] = 6  # held so that what is stored on the left belongs on top
    turned.save(tmp_path / "c.jpg", exif=exif, quality=95)
    clear, grey, turned = make_thumbnails(open_data(str(tmp_path)), [0, 1, 2], 32).astype(int)
    assert clear[16, 4].tolist() == [255, 0, 0]
    assert clear[16, 28].tolist() == [255, 255, 255]
    assert (grey == 77).all()
    assert np.abs(turned[8, 16] - RED).max() < 8 and np.abs(turned[24, 16] - BLUE).max() < 8
    assert turned[16, 2].max() < 60


def test_a_damaged_picture_is_a_marked_tile_among_the_others(tmp_path):
    tree = {"a.png": RED, "b.png": png(RED)[:40], "c.jpg": b"", "d.png": BLUE}
    data = open_data(str(folder_of(tmp_path, tree)))
    (tmp_path / "a.png").write_bytes(png(GREEN, (8, 8)))
    good, cut, empty, last = make_thumbnails(data, [0, 1, 2, 3], 48)
    assert (good == GREEN).all() and (last[24, 24] == BLUE).all()
    assert np.array_equal(cut, empty)
    assert len(np.unique(cut.reshape(-1, 3), axis=0)) == 2


def test_thumbnails_of_nothing_and_of_wrong_sizes():
    data = open_data("concepts:object")
    assert make_thumbnails(data, [], 64).shape == (0, 64, 64, 3)
    for size in (0, 7, 1025):
        with pytest.raises(InputError, match="8 to 1024"):
            make_thumbnails(data, [0], size)


def test_a_large_photograph_is_decoded_small(tmp_path):
    Image.new("RGB", (1600, 1200), RED).save(tmp_path / "a.jpg")
    data = open_data(str(tmp_path))
    assert (data.picture(0).size, data.picture(0, near=96).size) == ((1600, 1200), (200, 150))


# real data


def test_caltech_is_read_from_its_archive(data_folder):
    data = open_data(str(data_folder / "caltech101_175x150.zip"))
    assert (len(data), len(data.classes)) == (8677, 101)
    assert search_classes(data, "faces") == [("Faces", 435), ("Faces_easy", 435)]
    ants = page_indices(data, 0, 99, "ant")
    assert [data.title(index) for index in ants] == [f"image_{k:04}.jpg" for k in range(1, len(ants) + 1)]
    assert data.picture(ants[0]).size == (175, 150)
    assert (make_thumbnails(data, random_indices(data, 24, 0), 96)[:, 48, 48].std(0) > 20).all()


def test_caltech_is_read_from_its_folder(data_folder):
    path = data_folder / "caltech101_9classes"
    data = open_data(str(path))
    assert search_classes(data, "") == [
        (folder.name, len(list(folder.glob("*.jpg")))) for folder in sorted(path.iterdir())
    ]
    assert (len(data), search_classes(data, "panda")) == (472, [("panda", 38)])


def test_mnist_is_read(data_folder):
    data = open_data(str(data_folder / "mnist_t10k"))
    assert (data.name, len(data), data.classes) == ("mnist_t10k", 10000, tuple("0123456789"))
    assert data.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert search_classes(data, "1") == [("1", 1135)]
    assert (data.picture(0).mode, data.picture(0).size) == ("L", (28, 28))
