"""From files to a network's input: pictures of every kind, arrays, noise, and what goes wrong."""

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
torch.set_num_threads(1)  # two on a busy machine wait for each other most of the time
Image = pytest.importorskip("PIL.Image", reason="needs Pillow")

from innerwalk.tests.support import SUPPORT  # noqa: E402
from innerwalk.torch_bridge.data import open_data  # noqa: E402
from innerwalk.torch_bridge.inputs.image_files import check_size, open_picture  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.inputs.sample_drawing import MAX_SIDE, draw_sample  # noqa: E402
from innerwalk.torch_bridge.inputs.sources import preprocess_picture, read_input  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, ModelError  # noqa: E402
from innerwalk.torch_bridge.subject import RecordSpec, prepare, record_from  # noqa: E402

AS_IS = Preprocessing()


@pytest.fixture(autouse=True)
def own_models(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(SUPPORT))


def colours(height=40, width=60) -> np.ndarray:
    """(H, W, 3) uint8 without symmetry, so that no turn or swap goes unseen."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x * 7 + y * 3) % 256], 2).astype(np.uint8)


@pytest.fixture
def picture(tmp_path) -> str:
    path = tmp_path / "colours.png"
    Image.fromarray(colours()).save(path)
    return str(path)


def seen(path, preprocessing=AS_IS) -> np.ndarray:
    return preprocess_picture(open_picture(path), preprocessing)[1]


def refused(text, preprocessing=AS_IS, **more) -> str:
    with pytest.raises(InputError) as error:
        read_input(str(text), preprocessing, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


# pictures of every kind


@pytest.mark.parametrize("turn", range(1, 9))
def test_pictures_stand_upright(tmp_path, turn):
    """EXIF tag 274 says how the camera was held; the eight ways are known permutations."""
    upright = colours()
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.transpose(1, 0, 2),
        6: np.rot90(upright), 7: upright[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(upright, -1),
    }[turn]  # fmt: skip
    image = Image.fromarray(np.ascontiguousarray(stored))
    exif = image.getexif()
    exif[274] = turn
    image.save(tmp_path / "held.png", exif=exif)
    assert np.array_equal(seen(tmp_path / "held.png"), upright)


def test_palette_and_cmyk_and_one_bit(tmp_path):
    Image.fromarray(colours()).quantize(256).save(tmp_path / "palette.png")
    Image.fromarray(colours()).convert("CMYK").save(tmp_path / "print.tiff")
    Image.fromarray(colours()[:, :, 0] > 128).save(tmp_path / "line.png")
    assert np.abs(seen(tmp_path / "palette.png").astype(int) - colours()).mean() < 12
    assert np.abs(seen(tmp_path / "print.tiff").astype(int) - colours()).max() <= 1
    assert np.array_equal(seen(tmp_path / "line.png")[:, :, 1], (colours()[:, :, 0] > 128) * 255)


def test_transparency_lies_on_white(tmp_path):
    pixels = np.dstack([colours(), np.zeros((40, 60), np.uint8)])
    pixels[:, 30:, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "logo.png")
    Image.fromarray(np.full((9, 9), 7, np.uint8)).save(tmp_path / "key.png", transparency=7)
    shown = seen(tmp_path / "logo.png")
    assert (shown[:, :30] == 255).all() and np.array_equal(shown[:, 30:], colours()[:, 30:])
    assert (seen(tmp_path / "key.png") == 255).all()


def test_four_channels_keep_transparency(tmp_path):
    pixels = np.dstack([colours(), np.full((40, 60), 51, np.uint8)])
    Image.fromarray(pixels).save(tmp_path / "logo.png")
    values, _ = preprocess_picture(open_picture(tmp_path / "logo.png"), Preprocessing(channels=4))
    assert values.shape == (4, 40, 60) and np.allclose(values[3], 0.2)


def test_deep_pictures_keep_their_range(tmp_path):
    deep = (np.arange(2400).reshape(40, 60) * 27).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(deep / np.float32(65535)).save(tmp_path / "share.tiff")
    Image.fromarray(deep.astype(np.float32) - 500).save(tmp_path / "signed.tiff")
    wanted = deep / 257
    assert np.abs(seen(tmp_path / "deep.png")[:, :, 0] - wanted).max() <= 1
    assert np.abs(seen(tmp_path / "share.tiff")[:, :, 0] - wanted).max() <= 1
    stretched = seen(tmp_path / "signed.tiff")[:, :, 0]
    assert (stretched.min(), stretched.max()) == (0, 255)


@pytest.mark.parametrize(("name", "kind", "top"), [("a.png", "I;16", 65535), ("a.tif", "I;16", 65535)])
def test_every_level_of_a_deep_grey_reaches_the_network(tmp_path, name, kind, top):
    deep = np.arange(4096).reshape(64, 64).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / name)
    found = read_input(str(tmp_path / name), Preprocessing(channels=1))
    assert np.allclose(found.values[0, 0], deep / top, atol=1e-7) and len(torch.unique(found.values)) == 4096
    assert found.preprocessing.startswith("16-bit grey, 0..65535 as 0..1; grey, original size")
    coloured = read_input(str(tmp_path / name), Preprocessing(channels=3, mean=(0.5,), std=(0.25,)))
    assert np.allclose(coloured.values[0], (deep / top - 0.5) / 0.25, atol=1e-6)
    assert read_input(str(tmp_path / name), Preprocessing(channels=4)).values[0, 3].min() == 1
    half = read_input(str(tmp_path / name), Preprocessing(size=(32, 32), channels=1, interpolation="box"))
    assert np.allclose(half.values[0, 0], deep.reshape(32, 2, 32, 2).mean((1, 3)) / top, atol=1e-7)


def twelve_bit_tiff(path, rows: list[list[int]]) -> None:
    """A TIFF whose samples have 12 bits, two of them in 3 bytes; each row has an even number."""
    packed = bytes(
        byte for row in rows for a, b in zip(row[::2], row[1::2], strict=True)
        for byte in (a >> 4, (a & 15) << 4 | b >> 8, b & 255)
    )  # fmt: skip
    width, height = len(rows[0]), len(rows)
    tags = {256: width, 257: height, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(packed)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    padding = b"\0" * (len(packed) % 2)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8 + len(packed + padding)) + packed + padding + directory)


def test_twelve_bits_are_scaled_by_their_own_range(tmp_path):
    twelve_bit_tiff(tmp_path / "a.tif", [[0, 4095], [2048, 1]])
    found = read_input(str(tmp_path / "a.tif"), Preprocessing(channels=1))
    assert np.allclose(found.values[0, 0], np.array([[0, 4095], [2048, 1]]) / 4095, atol=1e-7)
    assert found.preprocessing.startswith("12-bit grey, 0..4095 as 0..1; ")


def test_a_window_states_black_and_white(tmp_path, picture):
    deep = np.array([[0, 1000], [2000, 60_000]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.png")
    Image.fromarray(deep.astype(np.float32) - 1000).save(tmp_path / "signed.tif")
    Image.fromarray(np.array([[0, 50], [100, 255]], np.uint8)).save(tmp_path / "shallow.png")
    np.save(tmp_path / "ct.npy", deep.astype(np.float64))
    np.save(tmp_path / "ints.npy", deep.astype(np.int32))
    windowed = Preprocessing(channels=1, window=(0, 2000))
    for name in ("a.png", "ct.npy", "ints.npy"):
        found = read_input(str(tmp_path / name), windowed)
        assert np.allclose(found.values[0, 0], [[0, 0.5], [1, 1]], atol=1e-6) and found.picture[0, 1, 0] == 128
        assert "0..2000 as 0..1" in found.preprocessing
    shifted = read_input(str(tmp_path / "signed.tif"), Preprocessing(channels=1, window=(-1000, 1000)))
    assert np.allclose(shifted.values[0, 0], [[0, 0.5], [1, 1]], atol=1e-4)
    shallow = read_input(str(tmp_path / "shallow.png"), Preprocessing(channels=1, window=(0, 100)))
    assert np.allclose(shallow.values[0, 0], [[0, 0.5], [1, 1]], atol=1e-6)
    assert "this picture has colours; a window is for grey ones" in refused(picture, windowed)
    with pytest.raises(InputError, match="window 9:3: two numbers are needed, the lower one first"):
        prepare(RecordSpec("own_models:small", window=(9, 3)))


def test_stretching_is_said(tmp_path):
    Image.fromarray(np.array([[-500, 0], [250, 500]], np.float32)).save(tmp_path / "a.tif")
    found = read_input(str(tmp_path / "a.tif"), Preprocessing(channels=1))
    assert found.values[0, 0].tolist() == [[0, 0.5], [0.75, 1]]
    assert "stretched from its least to its largest value, -500..500 as 0..1" in found.preprocessing


def test_rows_and_columns_alone_are_one_channel(tmp_path):
    values = np.random.default_rng(0).random((9, 11))
    np.save(tmp_path / "f.npy", values)
    np.save(tmp_path / "u.npy", (values * 65535).astype(np.uint16))
    floats = recorded("own_models:small", str(tmp_path / "f.npy"), arguments={"channels": 1})
    assert floats.network.layers[0].shape == (1, 9, 11)
    line = floats.provenance["preprocessing"]
    assert line == "values as in the file, 1×9×11 float64, converted to the network's float32"
    deep = recorded("own_models:small", str(tmp_path / "u.npy"), arguments={"channels": 1}, size=(9, 11))
    assert deep.provenance["preprocessing"].startswith("16-bit grey, 0..65535 as 0..1")
    with pytest.raises(ModelError, match="takes 3 channels, not 1"):
        recorded("own_models:small", str(tmp_path / "f.npy"))


def test_grey_from_colour_and_colour_from_grey(tmp_path, picture):
    Image.fromarray(colours()[:, :, 0]).save(tmp_path / "grey.png")
    values, shown = preprocess_picture(open_picture(tmp_path / "grey.png"), AS_IS)
    assert values.shape == (3, 40, 60) and np.array_equal(shown[:, :, 2], colours()[:, :, 0])
    values, shown = preprocess_picture(open_picture(picture), Preprocessing(channels=1))
    luma = colours() @ np.array([0.299, 0.587, 0.114])
    assert values.shape == (1, 40, 60) and np.abs(shown[:, :, 0] - luma).max() <= 1


def huge_png(path, side) -> None:
    """A PNG that says it is side × side pixels and holds none of them."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))


def test_pictures_that_arent(tmp_path, picture):
    (tmp_path / "text.jpg").write_text("not a picture")
    whole = Path(picture).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    huge_png(tmp_path / "bomb.png", 40_000)
    huge_png(tmp_path / "large.png", 7_900)  # below the limit
    assert "no such file" in refused(tmp_path / "none.png")
    assert "write --keyword input_ids=ids:1,2 for the argument input_ids" in refused("input_ids=ids:1,2")
    assert "not a picture" in refused(tmp_path / "text.jpg")
    assert "damaged or cut off" in refused(tmp_path / "cut.png")
    assert "too many pixels" in refused(tmp_path / "bomb.png")
    assert "damaged or cut off" in refused(tmp_path / "large.png")
    assert "it is a folder; a file is needed" in refused(tmp_path)


def test_only_pictures_are_opened_whatever_their_name(tmp_path, monkeypatch):
    """PostScript would start Ghostscript."""
    from PIL import EpsImagePlugin

    (started := tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    started.chmod(0o755)
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", str(started))
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    (tmp_path / "a.png").write_bytes(script)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", script)
    assert "not a picture; one of BMP, GIF, JPEG, PNG" in refused(tmp_path / "a.png")
    (folder := tmp_path / "folder").mkdir()
    (folder / "a.png").write_bytes(script)
    for place in (tmp_path / "a.zip", folder):
        with pytest.raises(InputError, match="not a picture"):
            open_data(str(place)).picture(0)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "MPO"])
def test_usual_pictures_are_opened(tmp_path, kind):
    Image.fromarray(colours()).save(tmp_path / "a.png", kind)
    assert open_picture(tmp_path / "a.png").size == (60, 40)


# arrays and noise


def test_arrays_go_to_the_network_as_they_are(tmp_path):
    batch = np.random.default_rng(0).standard_normal((5, 3, 8, 9)).astype(np.float32)
    np.save(tmp_path / "batch.npy", batch)
    np.save(tmp_path / "one.npy", batch[3])
    np.save(tmp_path / "fortran.npy", np.asfortranarray(batch[3].astype(">f8")))
    for name, index in (("batch", 3), ("one", 0), ("fortran", 0)):
        found = read_input(str(tmp_path / f"{name}.npy"), AS_IS, (3, 8, 9), index=index)
        assert np.array_equal(found.values.numpy(), batch[3:4])
    assert "5 samples, there is no index 5" in refused(tmp_path / "batch.npy", shape=(3, 8, 9), index=5)


def test_arrays_of_bytes_are_pictures(tmp_path, picture):
    np.save(tmp_path / "colours.npy", colours())
    preprocessing = Preprocessing(size=(20, 20), mean=(0.5,), std=(0.5,))
    from_array = read_input(str(tmp_path / "colours.npy"), preprocessing)
    from_file = read_input(picture, preprocessing)
    assert torch.equal(from_array.values, from_file.values)
    assert np.array_equal(from_array.picture, from_file.picture)


def test_arrays_that_arent(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], object), allow_pickle=True)
    np.save(tmp_path / "text.npy", np.array(["a"]))
    np.save(tmp_path / "empty.npy", np.zeros((0, 3)))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "text.npy").read_bytes()[:40])
    assert "no such file" in refused(tmp_path / "none.npy")
    assert "not a .npy file of plain numbers" in refused(tmp_path / "objects.npy")
    assert "not a .npy file of plain numbers" in refused(tmp_path / "cut.npy")
    np.save(tmp_path / "long.npy", np.zeros((2, 3), np.longdouble))
    np.savez(tmp_path / "several.npz", a=np.zeros(3))
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    for name in ("text", "long"):
        assert "numbers of at most 64 bits are needed" in refused(tmp_path / f"{name}.npy")
    assert "it is empty, 0×3" in refused(tmp_path / "empty.npy")
    assert "not a .npy file of plain numbers" in refused(tmp_path / "several.npy")


@pytest.mark.parametrize(
    "text", ["noise:1:" + "9" * 30 + "x2", "noise:1:" + "9" * 19 + "x2", "noise:1:99999x99999", "noise:" + "9" * 5000]
)
def test_noise_that_is_too_large(text):
    assert len(line := refused(text)) < 200 and ("write noise:SEED" in line or "at most 134,217,728 numbers" in line)


def test_noise_is_its_seed():
    first, again, other = (read_input(f"noise:{seed}", AS_IS, (3, 32, 32)).values for seed in (7, 7, 8))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert abs(float(first.mean())) < 0.1 and abs(float(first.std()) - 1) < 0.1
    other_shape = read_input("noise:7:5x4", AS_IS, (3, 32, 32))
    assert other_shape.values.shape == (1, 5, 4) and other_shape.preprocessing == "standard normal noise, 5×4"
    for text in ("noise:x", "noise:1:3x", "noise:1:3:4", "noise:-1"):
        assert "write noise:SEED" in refused(text, shape=(3, 4, 4))
    assert "isn't known; write it" in refused("noise:1")


def test_vectors_have_a_picture_of_squares():
    found = read_input("noise:3", AS_IS, (64, 1, 1))
    assert found.picture.shape == (64, 64, 3) and found.picture.dtype == np.uint8
    assert len(np.unique(found.picture[::8, ::8, 0])) > 30


def test_squares_of_a_vector_lie_row_by_row():
    """Five values: two rows of three squares, the free place as dark as the least value."""
    from innerwalk.torch_bridge.inputs.sample_drawing import SWATCH, _draw_grey

    drawn = _draw_grey(np.arange(5.0))
    assert drawn.shape == (2 * SWATCH, 3 * SWATCH)
    assert drawn[SWATCH // 2 :: SWATCH, SWATCH // 2 :: SWATCH].tolist() == [[0, 0.25, 0.5], [0.75, 1, 0]]


def test_pictures_of_long_arrays_stay_small():
    """Of three minutes of sound, and of a plane of 3,000 × 5,000, every second number or fewer."""
    sound = draw_sample(np.arange(8_000_000, dtype=np.float32), AS_IS)
    assert max(sound.shape) <= MAX_SIDE and sound[0, 0, 0] == 0 and sound.max() == 255
    plane = np.zeros((3000, 5000), np.uint8)
    plane[1000, 3000] = 9
    drawn = draw_sample(plane, AS_IS)
    assert drawn.shape == (1500, 1667, 3) and np.argwhere(drawn[..., 0]).tolist() == [[500, 1000]]


def test_numbers_too_large_for_float32_are_drawn_without_a_warning():
    assert draw_sample(np.array([[1e300, 1.0], [0.0, -1e300]]), AS_IS)[..., 0].tolist() == [[0, 255], [0, 0]]


# for a network


def recorded(model, *inputs, **more):
    return record_from(RecordSpec(model, inputs=inputs, layers=(), **more))


def test_the_first_layer_says_how_many_channels(picture):
    grey = recorded("own_models:small", picture, arguments={"channels": 1})
    assert np.array_equal(grey.picture[:, :, 0], grey.picture[:, :, 2])
    assert grey.network.layers[0].shape[0] == 1 and "channels: first layer 0" in grey.provenance["preprocessing"]
    assert recorded("own_models:small", picture, arguments={"channels": 4}).network.layers[0].shape[0] == 4


def test_wrong_channels_are_one_line(picture, tmp_path):
    with pytest.raises(ModelError, match=r"its first layer 0 takes 3 channels, not 1$"):
        recorded("own_models:small", picture, colours=1)
    np.save(tmp_path / "five.npy", np.zeros((1, 5, 9, 9), np.float32))
    with pytest.raises(ModelError, match=r"its first layer 0 takes 3 channels, not 5$"):
        recorded("own_models:small", str(tmp_path / "five.npy"))
    with pytest.raises(ModelError, match=r"its first layer 0 takes 7 channels, not 3$"):
        recorded("own_models:small", picture, arguments={"channels": 7})


def test_the_size_is_found_by_trying(picture):
    assert recorded("own_models:only_at_64", picture).picture.shape == (64, 64, 3)


def test_rows_of_pixels_for_a_perceptron(picture):
    found = recorded("own_models:Perceptron", picture)
    assert found.picture.shape == (28, 28, 3) and found.prediction.kind == "classes"


def test_half_precision_networks_get_their_own_numbers(picture):
    assert recorded("own_models:half", picture).prediction.kind == "classes"


def test_several_inputs(picture, tmp_path):
    np.save(tmp_path / "question.npy", np.array([[3, 14, 15]]))
    found = recorded("own_models:TwoInputs", picture, str(tmp_path / "question.npy"))
    assert found.input_name == "colours.png + question.npy" and found.prediction.kind == "classes"
    assert found.provenance["preprocessing"].startswith("RGB, scaled to cover")
    assert found.provenance["preprocessing"].endswith("; values as in the file, 3 int64")
    with pytest.raises(InputError, match=r"also needs question; give one more input, or --keyword question=INPUT$"):
        recorded("own_models:TwoInputs", picture)


def test_a_sample_of_a_batch(tmp_path):
    batch = np.random.default_rng(1).standard_normal((4, 3, 16, 16)).astype(np.float32)
    np.save(tmp_path / "batch.npy", batch)
    model = prepare(RecordSpec("own_models:small")).built.module
    scores = torch.softmax(model(torch.from_numpy(batch)), 1)[2].detach()
    found = recorded("own_models:small", str(tmp_path / "batch.npy"), index=2)
    assert found.prediction.top[0][2] == pytest.approx(float(scores.max()), abs=1e-5)
    with pytest.raises(InputError, match="there is no index 1"):
        recorded("own_models:small", "noise:1:3x9x9", index=1)


def test_a_picture_of_too_many_pixels_is_refused_from_its_header(tmp_path, monkeypatch):
    """490 KB of PNG, 13,000 pixels square, took 2.2 GB, which the bridge kept."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(1 + 3 * 13_000)) for _ in range(13_000)) + rows.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 13_000, 13_000, 8, 2, 0, 0, 0)), (b"IDAT", packed), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        content += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    (file := tmp_path / "bomb.png").write_bytes(content)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)  # nothing is decoded
    with pytest.raises(InputError, match=r"bomb.png, 13,000 × 13,000: too many pixels \(the limit is 64 million\)"):
        open_picture(file)


def test_the_largest_picture_is_taken():
    check_size("x.png", 8000, 8000)
    with pytest.raises(InputError, match="make it smaller"):
        check_size("x.png", 8000, 8001)
