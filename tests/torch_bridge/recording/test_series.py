"""Series: what is written is read again, stored once, kept when writing ends early, and checked when it is read."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from innerwalk.bench.fuzz_recordings import sample
from innerwalk.torch_bridge.recording import Chart, Maps, SeriesWriter, load_series, pack, series_writing, writing
from innerwalk.torch_bridge.recording.charts import MOST_ROWS, chart_entries
from innerwalk.torch_bridge.recording.errors import RecordingError
from innerwalk.torch_bridge.recording.safetensors import encode
from innerwalk.torch_bridge.recording.series_peaks import SeriesPeaks, raise_peaks, scale_alike


def another(value: float):
    """A recording of the same network whose maps have one value, and whose input is named after it."""
    recording = replace(sample(), input_name=f"input {value}", all_maps={})
    recording.add(replace(maps, texels=np.full_like(maps.texels, value)) for maps in sample().all_maps.values())
    return recording


def written(folder, *values, **options):
    with SeriesWriter(folder, "noise", 2.5, {"seed": 1}, **options) as writer:
        for value in values:
            writer.add(f"level {value}", another(value))
    return folder


def values_of(folder) -> list[float]:
    """The value of each entry's maps, which its input is named after."""
    series = load_series(folder)
    found = [float(series.load(k).maps("b").texels.max()) for k in range(len(series))]
    assert [series.load(k).input_name for k in range(len(series))] == [f"input {value:g}" for value in found]
    return found


def test_each_entry_is_the_recording_that_was_added(tmp_path):
    series = load_series(written(tmp_path / "s", 1, 2, 3))
    assert (series.axis, series.rate, series.origin) == ("noise", 2.5, {"seed": 1})
    assert series.labels == ("level 1", "level 2", "level 3") and len(series) == 3
    assert series.network == sample().network
    for k, value in enumerate((1, 2, 3)):
        found, wanted = series.load(k), another(value)
        assert found.input_name == wanted.input_name and found.prediction == wanted.prediction
        assert np.array_equal(found.picture, wanted.picture)
        assert found.network is series.network
        for key, maps in wanted.all_maps.items():
            assert np.array_equal(found.all_maps[key].texels, maps.texels)
            assert found.all_maps[key].extras.keys() >= maps.extras.keys()


def test_equal_files_are_stored_once(tmp_path):
    folder = tmp_path / "s"
    with SeriesWriter(folder, "frame") as writer:
        for k in range(4):
            writer.add(f"frame {k}", another(k % 2))
    kinds = [path.name.partition("-")[0] for path in folder.iterdir()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "series.json": 1, "network": 1, "entry": 2, "activations": 2, "pictures": 1, "peaks": 1,
    }  # fmt: skip
    assert values_of(folder) == [0, 1, 0, 1]


def test_peaks_are_the_greatest_of_all_entries(tmp_path):
    """Whether they are read from their file, or, where writing was stopped, from one entry after the other."""
    folder = written(tmp_path / "s", 1, 5, 2)
    series = load_series(folder)
    assert series.peaks_file and all((values == 5).all() for values in series.peaks.values())
    assert series.peaks.keys() == {(layer, method) for layer, method in series.load(0).all_maps}
    stopped = replace(series, peaks_file="")
    assert stopped.peaks.keys() == series.peaks.keys()
    assert all(np.array_equal(stopped.peaks[key], values) for key, values in series.peaks.items())
    with SeriesWriter(folder, "noise", 2.5, {"seed": 1}, resume=True) as writer:
        writer.add("level 7", another(7))
    assert all((values == 7).all() for values in load_series(folder).peaks.values())
    assert len(list(folder.glob("peaks-*"))) == 1


def test_peaks_count_by_the_channels_number():
    peaks: SeriesPeaks = {}
    few = Maps("a", "made", pack(np.full((2, 4, 4), 3, np.float32)), 2, channel_numbers=(4, 1))
    raise_peaks(peaks, [few])
    raise_peaks(peaks, [replace(few, texels=few.texels * 2, channel_numbers=(2, 1))])
    assert peaks["a", "made"].tolist() == [0, 6, 6, 0, 3]
    assert scale_alike(few, peaks, "here").peak.tolist() == [3, 6]
    with pytest.raises(RecordingError, match="here: the peaks of 'a' are missing; record the series again"):
        scale_alike(replace(few, channel_numbers=(4, 5)), peaks, "here")


def test_damaged_peaks_are_refused_in_one_line(tmp_path):
    folder = written(tmp_path / "s", 1, 5)
    file = folder / load_series(folder).peaks_file
    file.write_bytes(b"".join(bytes(piece) for piece in encode({"activations|b": np.full(3, np.nan, np.float32)})))
    with pytest.raises(RecordingError, match=r"peaks of 'b' must be finite \(channels,\) float32"):
        load_series(folder).peaks  # noqa: B018 - read when it is asked for
    file.unlink()
    with pytest.raises(RecordingError, match=f"{file.name}: no such file"):
        load_series(folder).peaks  # noqa: B018
    index = json.loads((folder / "series.json").read_text())
    (folder / "series.json").write_text(json.dumps(index | {"peaks": "../peaks.safetensors"}))
    with pytest.raises(RecordingError, match=r"peaks: bad file name '\.\./peaks"):
        load_series(folder)


def test_entries_are_read_when_they_are_asked_for(tmp_path):
    folder = written(tmp_path / "s", 1, 2)
    series = load_series(folder)
    (folder / series.entries[0].file).unlink()
    assert series.load(1).input_name == "input 2"
    with pytest.raises(RecordingError, match=f"{series.entries[0].file} is missing"):
        series.load(0)
    for position in (-1, 2):
        with pytest.raises(RecordingError, match=f"no position {position}; they are 0 to 1"):
            series.load(position)


class Stop(BaseException):
    """As Ctrl-C."""


@pytest.mark.parametrize("number", range(1, 12))
@pytest.mark.parametrize("former", [(), (7, 8)])
def test_an_interrupted_writing_leaves_a_whole_series_and_no_other_files(tmp_path, monkeypatch, number, former):
    """Of two entries: network, maps, pictures, entry and index; maps, pictures, entry and index; peaks and index."""
    folder = written(tmp_path / "s", *former) if former else tmp_path / "s"
    write_pieces, calls = writing.write_pieces, []

    def interrupt(*arguments):
        calls.append(arguments)
        if len(calls) == number:
            raise Stop
        return write_pieces(*arguments)

    for module in (writing, series_writing):
        monkeypatch.setattr(module, "write_pieces", interrupt)
    with pytest.raises(Stop):
        written(folder, 1, 2)
    monkeypatch.undo()
    if number > 9:
        assert values_of(folder) == [1, 2] and len(list(folder.iterdir())) == 7
    elif number > 5:
        assert values_of(folder) == [1] and len(list(folder.iterdir())) == 5
    elif former:
        assert values_of(folder) == [7, 8] and len(list(folder.iterdir())) == 8
    else:
        assert not folder.exists()


def test_a_killed_writing_leaves_a_series_that_is_gone_on_with(tmp_path):
    folder = written(tmp_path / "s", 1)
    for name in ("activations-" + "0" * 24 + ".safetensors", "entry-" + "0" * 24 + ".json"):
        (folder / name).write_bytes(b"of the entry that wasn't finished")
    with SeriesWriter(folder, "noise", 2.5, {"seed": 1}, resume=True) as writer:
        writer.add("level 2", another(2))
    assert values_of(folder) == [1, 2] and len(list(folder.iterdir())) == 8


def test_a_writing_that_fails_at_once_leaves_the_old_series_or_nothing(tmp_path, monkeypatch):
    folder = written(tmp_path / "s", 7, 8)
    before = sorted(path.name for path in folder.iterdir())

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(series_writing, "save_maps", full)
    for place in (folder, tmp_path / "new"):
        with pytest.raises(RecordingError, match="can't write the series .No space left"):
            written(place, 1)
    assert sorted(path.name for path in folder.iterdir()) == before and values_of(folder) == [7, 8]
    assert not (tmp_path / "new").exists()


def test_a_new_series_replaces_the_old_one_and_its_files(tmp_path):
    folder = written(tmp_path / "s", 1, 2, 3)
    written(folder, 4)
    assert values_of(folder) == [4] and len(list(folder.iterdir())) == 6


def test_a_series_is_gone_on_with(tmp_path):
    folder = written(tmp_path / "s", 1, 2)
    with SeriesWriter(folder, "noise", 2.5, {"seed": 1}, resume=True) as writer:
        assert writer.labels == ("level 1", "level 2")
        writer.add("level 3", another(3))
    assert values_of(folder) == [1, 2, 3]
    for change, what in (({"seed": 2}, "seed"), ({"seed": 1, "size": [8, 8]}, "size")):
        with pytest.raises(RecordingError, match=f"was made with another {what}"):
            SeriesWriter(folder, "noise", 2.5, change, resume=True)
    with pytest.raises(RecordingError, match="another axis or rate"):
        SeriesWriter(folder, "noise", 5.0, {"seed": 1}, resume=True)


def changed_network(change):
    network = sample().network
    return replace(another(2), network=change(network), all_maps={})


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda net: replace(net, layers=(net.layers[0], replace(net.layers[1], kind="Linear"), *net.layers[2:])),
            "kind of layer 'a' is Linear, not Conv2d",
        ),
        (lambda net: replace(net, layers=net.layers[:3], edges=net.edges[:2]), "only one of them has layer 'b'"),
        (lambda net: replace(net, edges=net.edges[:2]), "only one of them has the connection relu to b"),
    ],
)
def test_entries_of_another_network_are_refused_in_one_line(tmp_path, change, line):
    folder = tmp_path / "s"
    with SeriesWriter(folder, "noise") as writer:
        writer.add("level 1", another(1))
        with pytest.raises(RecordingError, match=f"^level 2 is of another network .*: {line}$"):
            writer.add("level 2", changed_network(change))
    assert values_of(folder) == [1]


def test_states_of_one_network_are_one_series(tmp_path):
    with SeriesWriter(tmp_path / "s", "epoch") as writer:
        for k in (1, 2):
            writer.add(str(k), replace(another(k), network=replace(sample().network, weights=f"epoch{k}.pt")))
    assert values_of(tmp_path / "s") == [1, 2]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    recording = another(1).save(tmp_path / "r")
    with pytest.raises(RecordingError, match="it holds a recording"):
        SeriesWriter(recording, "frame")
    series = written(tmp_path / "s", 1)
    with pytest.raises(RecordingError, match="it holds a series"):
        another(2).save(series, overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "series.json").write_text('{"key": "kept"}')
    with pytest.raises(RecordingError, match="not a series of innerwalk; choose another folder"):
        SeriesWriter(tmp_path / "mine", "frame")
    os.chmod(series / "series.json", 0o444)
    with pytest.raises(RecordingError, match="read-only"):
        SeriesWriter(series, "frame")
    for axis, rate in (("", 0), ("x" * 65, 0), ("frame", -1), ("frame", float("nan"))):
        with pytest.raises(RecordingError, match="axis needs a name|rate must be"):
            SeriesWriter(tmp_path / "new", axis, rate)
    assert not (tmp_path / "new").exists() and values_of(series) == [1]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"schema": 2}, "schema 2 is newer than 1"),
        ({"format": "innerwalk-recording"}, "not a series of innerwalk"),
        ({"entries": []}, "has no entries"),
        ({"entries": [{"label": "x", "file": "../../etc/passwd"}]}, "bad file name"),
        ({"entries": [{"label": 7, "file": "entry-0.json"}]}, "label: must be a string"),
        ({"entries": [7]}, r"entries\[0\]: expected an object"),
        ({"entries": [{}] * 100_001}, "at most 100000 entries"),
        ({"network": "series.json"}, "bad file name"),
        ({"network": "network-" + "0" * 24 + ".json"}, "is missing"),
        ({"rate": "fast"}, "rate must be a number"),
        ({"rate": 1e300}, "rate must be a number"),
        ({"axis": ""}, "the axis needs a name"),
        ({"origin": 7}, "origin must be an object"),
    ],
)
def test_a_strangers_index_is_checked(tmp_path, change, line):
    folder = written(tmp_path / "s", 1)
    path = folder / "series.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RecordingError, match=line) as error:
        load_series(folder)
    assert "\n" not in str(error.value)


def test_a_strangers_entry_is_checked(tmp_path):
    folder = written(tmp_path / "s", 1)
    series = load_series(folder)
    path = folder / series.entries[0].file
    entry = json.loads(path.read_text())
    texels = folder / entry["maps"][0]["file"]
    for change, line in (
        ({"maps": [{**entry["maps"][0], "layer": "gone"}]}, "no layer 'gone' in the network"),
        ({"maps": [{**entry["maps"][0], "channels": 40}]}, "5 labels for 40 channels"),
        ({"pictures": "../x"}, r"entry-[0-9a-f]+\.json: bad data file name"),
        ({"inputs": [{"layer": "a"}]}, "kind"),
    ):
        path.write_text(json.dumps(entry | change))
        with pytest.raises(RecordingError, match=line):
            series.load(0)
    path.write_text(json.dumps(entry))
    texels.write_bytes(texels.read_bytes()[:-64])
    with pytest.raises(RecordingError, match="cut off"):
        series.load(0)


def test_a_series_that_is_replaced_while_it_is_opened_is_the_new_one(tmp_path, monkeypatch):
    from innerwalk.torch_bridge.recording import series as reading

    folder, new = written(tmp_path / "s", 1), written(tmp_path / "new", 5)
    read_json, replaced = reading.read_json, []

    def read_and_replace(path, *arguments):
        document = read_json(path, *arguments)
        if not replaced:
            replaced.append(shutil.rmtree(folder))
            shutil.copytree(new, folder)
            (folder / document["network"]).unlink()
            renamed = json.loads((folder / "series.json").read_text())
            other = "network-" + "0" * 24 + ".json"
            shutil.copy(new / renamed["network"], folder / other)
            (folder / "series.json").write_text(json.dumps(renamed | {"network": other}))
        return document

    monkeypatch.setattr(reading, "read_json", read_and_replace)
    assert load_series(folder).load(0).input_name == "input 5"


def test_a_label_and_values_of_any_kind_are_kept(tmp_path):
    data = np.array([np.nan, np.inf, -np.inf, 1e-40], np.float32).reshape(1, 2, 2)
    odd = replace(sample(), all_maps={})
    odd.add([replace(sample().maps("b"), texels=pack(data), channels=1)])
    with SeriesWriter(tmp_path / "s", "frame") as writer:
        writer.add("Wörter, 漢字\n\x1b[0m", odd)
    series = load_series(tmp_path / "s")
    assert series.labels == ("Wörter, 漢字\n\x1b[0m",)
    assert np.array_equal(series.load(0).maps("b").data, data, equal_nan=True)


def with_bars(value: float, *rows: str, title: str = "evidence"):
    """A recording whose maps carry bars: the first as long as the value, the others half as long, in two series."""
    found = another(value)
    lengths = tuple((value, 0.0) if k == 0 else (value / 4, value / 4) for k in range(len(rows)))
    chart = Chart("bars", title, rows, ("a", "b"), lengths, "concept", "score")
    found.add([replace(maps, charts=(chart,)) for maps in found.all_maps.values()])
    return found


def test_writing_goes_on_after_an_entry_without_maps(tmp_path):
    folder = written(tmp_path / "s", 1)
    file = folder / load_series(folder).entries[0].file
    document = json.loads(file.read_text())
    del document["maps"]
    file.write_text(json.dumps(document))
    assert len(load_series(written(folder, 2, resume=True))) == 2


def charts_of(series, k: int):
    return series.load(k).maps("b").charts


def test_bars_of_entries_become_lines_that_mark_the_entry(tmp_path):
    with SeriesWriter(tmp_path / "s", "frame") as writer:
        for value in (1.0, 2.0):
            writer.add(f"frame {value:g}", with_bars(value, "ring", "blue"))
    with SeriesWriter(tmp_path / "s", "frame", resume=True) as writer:
        writer.add("frame 3", with_bars(3.0, "blue", "star"))
    series = load_series(tmp_path / "s")
    [lines] = series.charts.values()
    assert (lines.kind, lines.title, lines.value_axis, lines.row_axis) == ("lines", "evidence", "score", "frame")
    assert lines.rows == ("frame 1", "frame 2", "frame 3") and lines.series == ("blue", "ring", "star")
    assert lines.values == ((0.5, 1.0, 0.0), (1.0, 2.0, 0.0), (3.0, 0.0, 1.5))
    for k, label in enumerate(lines.rows):
        bars, shown = charts_of(series, k)
        assert bars.kind == "bars" and shown == replace(lines, marked=label)


def test_entries_of_several_titles_are_named_by_what_is_measured(tmp_path):
    with SeriesWriter(tmp_path / "s", "frame") as writer:
        writer.add("0", with_bars(1.0, "ring", title="evidence for ring"))
        writer.add("1", with_bars(1.0, "ring", title="evidence for star"))
    assert charts_of(load_series(tmp_path / "s"), 0)[1].title == "score"


def test_a_series_without_bars_has_no_charts(tmp_path):
    series = load_series(written(tmp_path / "s", 1, 2))
    assert not series.charts and not charts_of(series, 1)


def test_a_very_long_series_leaves_out_entries_evenly():
    bars = [{"m": Chart("bars", "t", ("a",), ("s",), ((float(k),),))} for k in range(5000)]
    chart = chart_entries([str(k) for k in range(5000)], bars, "frame")["m"]
    assert len(chart.rows) <= MOST_ROWS and (chart.rows[0], chart.rows[-1]) == ("0", "4999")
    assert all(value == float(row) for row, (value,) in zip(chart.rows, chart.values, strict=True))


@pytest.mark.parametrize(
    ("charts", "said"),
    [
        ([], "charts"),
        ({"m": 3}, "an object"),
        ({"M!": {}}, "names of methods are small letters"),
        ({"m": {"kind": "pie"}}, "kind"),
    ],
)
def test_damaged_charts_of_a_series_are_one_line(tmp_path, charts, said):
    folder = written(tmp_path / "s", 1)
    document = json.loads((folder / "series.json").read_text())
    (folder / "series.json").write_text(json.dumps(document | {"charts": charts}))
    with pytest.raises(RecordingError, match=said) as raised:
        load_series(folder)
    assert "\n" not in str(raised.value)
