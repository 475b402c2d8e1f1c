"""The comparison of two checkouts: what counts as a difference between their results, and what does not."""

import json

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from innerwalk.bench.compare.bridge_transcript import decode_frames, encode_frame
from innerwalk.bench.compare.commands import GROUPS, list_commands
from innerwalk.bench.compare.differences import compare_values, find_differences, find_failure


@pytest.fixture
def folders(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    return before, after


def write_figure(path, colour, **metadata):
    texts = PngInfo()
    texts.add_text("innerwalk", json.dumps(metadata))
    Image.new("RGB", (4, 3), colour).save(path, pnginfo=texts)


def test_equal_values_have_no_differences():
    values = {"a": [1, 2.5, "text"], "b": {"c": None}}
    assert not list(compare_values(values, json.loads(json.dumps(values))))


def test_a_difference_has_its_path_and_both_values():
    found = list(compare_values({"a": [1, {"b": 2}], "c": 1}, {"a": [1, {"b": 3}], "d": True}))
    assert found == ["/a/1/b: '2' became '3'", "/c: '1' became 'nothing'", "/d: 'nothing' became 'True'"]
    assert list(compare_values(1, True))


def test_the_excerpt_of_a_long_text_shows_the_difference():
    (line,) = compare_values("x" * 500 + "old", "x" * 500 + "new")
    assert "old" in line and "new" in line and len(line) < 200


def test_versions_in_a_figure_are_not_compared_and_pixels_are(folders):
    for folder, version in zip(folders, ("2.6", "2.7"), strict=True):
        write_figure(folder / "a.png", "red", torch=version, gain=1)
    assert not list(find_differences(*folders))
    write_figure(folders[1] / "a.png", "blue", torch="2.6", gain=2)
    assert [line.split(":")[0] for line in find_differences(*folders)] == ["a.png/innerwalk/gain", "a.png/pixels"]


def test_data_files_are_matched_without_the_hash_in_their_names(folders):
    for folder, digit, content in zip(folders, "01", (b"abc", b"abd"), strict=True):
        path = folder / f"maps-{digit * 24}.safetensors"
        path.write_bytes(encode_frame({"same": True}, ([3], content)))
    (line,) = find_differences(*folders)
    assert line.startswith("maps-" + "0" * 24 + ".safetensors/a/2: ")


def test_a_file_of_one_side_only_is_a_difference(folders):
    (folders[0] / "a.txt").write_text("status 0\n")
    assert list(find_differences(*folders)) == ["a.txt: only before"]


@pytest.mark.parametrize(("name", "status", "fails"), [("a", 0, 0), ("a", 1, 1), ("error_a", 2, 0), ("error_a", 0, 1)])
def test_an_unexpected_status_is_a_failure(tmp_path, name, status, fails):
    (tmp_path / f"{name}.txt").write_text(f"status {status}\n")
    (tmp_path / f"{name}.stderr").write_text("why\n")
    assert len(list(find_failure(tmp_path / f"{name}.txt"))) == fails


def test_frames_are_decoded_one_after_another():
    body = encode_frame({"k": 1}, ([2], b"ab"))
    framed = len(body).to_bytes(8, "little") + body
    first, second = decode_frames(framed * 2)
    assert first == second and first["json"] == {"k": 1} and first["a"][:2] == ["U8", [2]]


def test_names_of_commands_are_unique():
    for group in GROUPS:
        names = [name for name, _ in list_commands(group)]
        assert len(names) == len(set(names))
