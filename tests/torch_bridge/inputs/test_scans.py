"""DICOM and NIfTI files: known values, levels and directions, what networks get of them, and what goes wrong."""

import gzip
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.tests.support import scans  # noqa: E402
from innerwalk.torch_bridge.inputs import dicom_files, scan_files  # noqa: E402
from innerwalk.torch_bridge.inputs import scans as limits  # noqa: E402
from innerwalk.torch_bridge.inputs.preprocess import Preprocessing  # noqa: E402
from innerwalk.torch_bridge.inputs.scan_files import read_scan  # noqa: E402
from innerwalk.torch_bridge.inputs.sources import NamedContent, read_input  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError  # noqa: E402

DICOM, NIFTI = Path("a.dcm"), Path("a.nii")
GREY = Preprocessing(channels=1)
COUNTS = np.arange(12, dtype=np.uint16).reshape(3, 4) * 100
CUBE = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def refused(path: Path, content: bytes) -> str:
    with pytest.raises(InputError) as error:
        read_scan(path, content)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def dicom():
    pytest.importorskip("pydicom", reason="needs pydicom")
    return scans.dicom


@pytest.fixture
def nifti():
    pytest.importorskip("nibabel", reason="needs nibabel")
    return scans.nifti


# DICOM


def test_greys_are_in_the_units_that_the_file_states(dicom, tmp_path):
    content = dicom(COUNTS, RescaleSlope=2, RescaleIntercept=-1000, BitsStored=12, HighBit=11)
    (tmp_path / "a.dcm").write_bytes(content)
    scan = read_scan(tmp_path / "a.dcm")
    assert scan.values.dtype == np.float32 and np.array_equal(scan.values[0], COUNTS * 2.0 - 1000)
    assert scan.levels == (-1000, 1200) and scan.kind == "12-bit DICOM grey times 2 plus -1000"
    assert np.array_equal(read_scan(DICOM, dicom(COUNTS, scans.BIG_ENDIAN)).values[0], COUNTS)


def test_the_window_of_the_file_is_kept_unless_one_is_stated(dicom):
    """PS3.3 C.11.2.1.2: centre 600.5 and width 401 are 400..800."""
    source = NamedContent("a.dcm", dicom(COUNTS, WindowCenter=600.5, WindowWidth=401))
    read = read_input(source, GREY)
    assert np.allclose(read.values[0, 0].numpy(), np.clip((COUNTS - 400.0) / 400, 0, 1), atol=1e-6)
    assert read.preprocessing.startswith("16-bit DICOM grey, 400..800 as 0..1; grey")
    stated = read_input(source, Preprocessing(channels=1, window=(0, 1000)))
    assert np.allclose(stated.values[0, 0].numpy(), np.clip(COUNTS / 1000, 0, 1), atol=1e-6)


def test_monochrome1_is_inverted(dicom):
    content = dicom(COUNTS, WindowCenter=600.5, WindowWidth=401, PhotometricInterpretation="MONOCHROME1")
    for window, low, high in ((None, 400, 800), ((0, 1000), 0, 1000)):
        read = read_input(NamedContent("a.dcm", content), Preprocessing(channels=1, window=window))
        assert np.allclose(read.values[0, 0].numpy(), np.clip((high - COUNTS * 1.0) / (high - low), 0, 1), atol=1e-6)


def test_colours_are_those_of_the_file(dicom):
    colours = np.arange(36, dtype=np.uint8).reshape(3, 4, 3) * 7
    read = read_input(NamedContent("a.dcm", dicom(colours)), Preprocessing())
    assert np.array_equal((read.values[0] * 255).round().numpy(), colours.transpose(2, 0, 1))
    assert read.preprocessing.startswith("DICOM colours; RGB")


def test_frames_are_a_volume_or_one_picture(dicom):
    source = NamedContent("a.dcm", dicom(CUBE, RescaleSlope=3))
    volume = read_input(source, GREY, (1, 16, 8, 8))
    assert np.array_equal(volume.values[0, 0].numpy(), CUBE * 3.0) and volume.kind == "volume"
    picture = read_input(source, GREY, (1, 8, 8))
    assert np.allclose(picture.values[0, 0].numpy(), CUBE[1] * 3 / 69, atol=1e-6)
    assert picture.preprocessing.startswith("slice 1 of 2; 16-bit DICOM grey times 3 plus 0, 0..69 as 0..1")


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"Rows": 60_000, "Columns": 60_000}, "60000×60000×1 numbers; 1 to 134,217,728 are read"),
        ({"NumberOfFrames": 10}, "cut off, 24 of 240 bytes of pixels"),
        ({"NumberOfFrames": -1}, "numbers; 1 to"),
        ({"BitsAllocated": 64}, "MONOCHROME2 with 1 samples of 64 bits a pixel; grey of 8, 16 or 32 bits"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "PALETTE COLOR with 1 samples"),
        ({"RescaleSlope": "1e39"}, "RescaleSlope is 1e+39; a finite number is needed"),
        (
            {"syntax": scans.JPEG_LS, "body": b"\xff\xd8" * 90},
            "JPEG-LS Lossless Image Compression: pip install pylibjpeg",
        ),
    ],
)
def test_dicom_files_that_cant_be_read_say_why(dicom, fields, line):
    if fields.get("syntax"):
        pytest.importorskip("pydicom")
        if any(sys.modules.get(name) for name in ("gdcm", "pylibjpeg", "jpeg_ls")):
            pytest.skip("a decoder is installed")
    assert line in refused(DICOM, dicom(COUNTS, **fields))


def test_a_deflated_dicom_file_is_not_inflated(dicom):
    """A bomb: a megabyte that stands for a gigabyte."""
    whole = dicom(COUNTS, "1.2.840.10008.1.2.1.99")
    start = whole.index(b"1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(bytes(1 << 24)) + packer.flush()
    assert "it is deflated; save it in Explicit VR Little Endian" in refused(DICOM, whole[: start + 200] + bomb)


def test_a_dicom_file_of_many_parts_ends_in_one_line(dicom, monkeypatch):
    monkeypatch.setattr(dicom_files, "MAX_READS", 10)
    assert "it has more than 10 parts" in refused(DICOM, dicom(COUNTS))


# NIfTI


@pytest.mark.parametrize("packed", [False, True])
def test_volumes_are_turned_to_right_anterior_superior(nifti, packed, tmp_path):
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    path.write_bytes(nifti(CUBE, np.diag([-1, 1, 1, 1]), packed))
    assert np.array_equal(read_scan(path).values, CUBE[::-1])
    path.write_bytes(nifti(CUBE, np.array([[0, 0, 2, 0], [-1, 0, 0, 0], [0, 3, 0, 0], [0, 0, 0, 1]]), packed))
    assert np.array_equal(read_scan(path).values, CUBE.transpose(2, 0, 1)[:, ::-1])


def test_values_are_scaled_as_the_header_says(nifti):
    scan = read_scan(NIFTI, nifti(CUBE, scl_slope=2, scl_inter=1, cal_min=-5, cal_max=9))
    assert np.array_equal(scan.values, CUBE * 2.0 + 1) and scan.levels == (-5, 9)
    assert scan.kind == "NIfTI int16 times 2 plus 1"
    assert np.array_equal(read_scan(NIFTI, nifti(CUBE, kind=2)).values, CUBE)
    series = np.stack([CUBE, CUBE + 100], 3)
    first = read_scan(NIFTI, nifti(series))
    assert np.array_equal(first.values, CUBE) and first.kind == "NIfTI int16, the first of 2"


def test_a_network_gets_the_volume_or_an_axial_slice(nifti):
    source = NamedContent("a.nii", nifti(CUBE))
    whole = read_input(source, GREY, (1, 16, 8, 8))
    assert np.array_equal(whole.values[0, 0].numpy(), CUBE)
    assert whole.preprocessing == "NIfTI int16, volume 2×3×4, axes turned to right, anterior, superior"
    windowed = read_input(source, Preprocessing(channels=1, window=(4, 14)), (1, 16, 8, 8))
    assert np.allclose(windowed.values[0, 0].numpy(), np.clip((CUBE - 4) / 10, 0, 1), atol=1e-6)
    for index, shown in ((0, 2), (3, 3)):
        picture = read_input(source, GREY, (1, 8, 8), index=index)
        # anterior up, right to the right
        assert np.allclose(picture.values[0, 0].numpy(), CUBE[:, ::-1, shown].T / 23, atol=1e-6)
        assert picture.preprocessing.startswith(f"slice {shown} of 4, axes turned to right, anterior, superior; NIfTI")
    with pytest.raises(InputError, match="4 slices, there is no index 4"):
        read_input(source, GREY, (1, 8, 8), index=4)
    with pytest.raises(InputError, match="1 channels; the network takes 3"):
        read_input(source, GREY, (3, 16, 8, 8))


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"dim": [3, 30_000, 30_000, 30_000, 1, 1, 1, 1]}, "30000×30000×30000 numbers; 1 to 134,217,728 are read"),
        ({"dim": [3, -4, 5, 6, 1, 1, 1, 1]}, "numbers; 1 to"),
        ({"dim": [7, 2, 3, 4, 1, 1, 1, 2]}, "it has 7 axes"),
        ({"vox_offset": 1e30}, "at most 16,777,216 are passed over"),
        ({"vox_offset": np.nan}, "not a NIfTI file, or damaged"),
        ({"srow_x": [np.nan] * 4}, "not a NIfTI file, or damaged"),
        ({"scl_inter": np.inf}, "not a NIfTI file, or damaged"),
    ],
)
def test_absurd_headers_are_one_line(nifti, fields, line):
    assert line in refused(NIFTI, nifti(CUBE, **fields))


def test_a_gzip_bomb_is_read_no_further_than_its_header_says(nifti, monkeypatch):
    whole = nifti(CUBE)
    bomb = gzip.compress(whole + bytes(1 << 24))
    assert np.array_equal(read_scan(Path("a.nii.gz"), bomb).values, CUBE)
    header = bytearray(whole[:352])
    struct.pack_into("<8h", header, 40, 3, 4096, 4096, 64, 1, 1, 1, 1)
    assert "numbers; 1 to" in refused(NIFTI, bytes(header) + bytes(1 << 20))
    monkeypatch.setattr(limits, "MAX_VALUES", 23)
    assert "2×3×4 numbers; 1 to 23 are read" in refused(NIFTI, whole)


def test_a_small_file_of_a_huge_volume_is_refused_before_it_is_unpacked(nifti):
    header = bytearray(nifti(CUBE)[:352])
    struct.pack_into("<8h", header, 40, 3, 512, 512, 512, 1, 1, 1, 1)
    said = refused(Path("a.nii.gz"), gzip.compress(bytes(header) + bytes(1 << 20)))
    assert "compressed beyond belief, 134,217,728 values in" in said


def test_complex_values_are_refused(nifti):
    assert "its values are complex64; real numbers" in refused(NIFTI, nifti(CUBE.astype(np.complex64)))


# both


@pytest.mark.parametrize(("path", "package"), [(DICOM, "pydicom"), (NIFTI, "nibabel")])
def test_without_the_package_a_line_says_how_to_get_it(monkeypatch, path, package):
    monkeypatch.setitem(sys.modules, package, None)
    assert refused(path, b"any") == f"scan {path}: {package} reads such files: pip install {package}"


def test_large_files_are_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(scan_files, "MAX_BYTES", 10)
    (tmp_path / "a.nii").write_bytes(bytes(11))
    with pytest.raises(InputError, match="it is too large; files of at most 10 bytes are read"):
        read_scan(tmp_path / "a.nii")
    with pytest.raises(InputError, match="no such file"):
        read_scan(tmp_path / "b.nii")
