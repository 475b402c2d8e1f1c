"""A series: recordings of one network along an axis, such as the frames of a video, as one folder.

    series.json                     axis, rate, origin, the network's file, label and file of each entry, and charts
    network-<hash>.json             the graph, stored once
    peaks-<hash>.safetensors        the greatest peak of each channel over all entries
    entry-<hash>.json               a recording without its graph, as in recording.json
    <method>-<hash>.safetensors     and pictures-<hash>.safetensors, as in the folder of a recording

Files are named by their content, so that equal ones are stored once. `series_writing.py` writes them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

from .charts import MOST_CHARTS, Chart
from .data_model import Network
from .errors import RecordingError
from .maps_entries import parse_charts_by_method
from .recording import Recording
from .schema import JsonFields, read_json, text_entry
from .series_peaks import PEAKS, SeriesPeaks, raise_peaks, read_peaks
from .storage import restore_files, restore_network
from .writing import SERIES_DOCUMENT

SERIES_FORMAT, SERIES_SCHEMA = "innerwalk-series", 1
MAX_ENTRIES = 100_000
"""Most entries: over an hour of a film, 24 a second."""
MAX_RATE = 10_000.0
"""Most entries a second."""
MAX_AXIS = 64
"""Characters of an axis's name."""
ENTRY_NAME, NETWORK_NAME = (re.compile(rf"{stem}-[0-9a-f]{{24}}\.json") for stem in ("entry", "network"))
PEAKS_NAME = re.compile(rf"{PEAKS}-[0-9a-f]{{24}}\.safetensors")


@dataclass(frozen=True)
class SeriesEntry:
    """One recording of a series: what people call it, and the name of its file."""

    label: str
    file: str


@dataclass(frozen=True)
class Series:
    """Recordings of one network along an axis; each is read when it is asked for, and none is kept."""

    folder: Path
    axis: str
    """What the entries differ in, such as frame, picture or noise."""
    rate: float
    """Entries a second; 0 where the axis isn't time."""
    network: Network
    network_file: str
    """Name of the network's file."""
    entries: tuple[SeriesEntry, ...]
    origin: dict[str, Any]
    """How the series was made, as plain JSON values; writing goes on only with the same."""
    peaks_file: str = ""
    """Name of the file of its peaks; "" for a series whose writing was stopped."""
    charts: dict[str, Chart] = field(default_factory=dict)
    """By method what its bars show from entry to entry, as lines; none for a series whose writing was stopped."""

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all entries, in order."""
        return tuple(entry.label for entry in self.entries)

    @cached_property
    def peaks(self) -> SeriesPeaks:
        """The greatest peak of each channel over all entries; without their file, all entries are read, one by one.

        Raises RecordingError.
        """
        if self.peaks_file:
            return read_peaks(self.folder / self.peaks_file)
        peaks: SeriesPeaks = {}
        for position in range(len(self)):
            raise_peaks(peaks, self.load(position).all_maps.values())
        return peaks

    def load(self, position: int) -> Recording:
        """Open the recording at a position, counted from 0; its maps are views into memory maps.

        Raises RecordingError for a position that isn't there, and for files that are missing or damaged.
        """
        if not 0 <= position < len(self):
            raise RecordingError(f"{self.folder}: no position {position}; they are 0 to {len(self) - 1}")
        path = self.folder / self.entries[position].file
        recording = restore_files(self.folder, read_json(path), str(path), self.network)
        self._add_charts(recording, position / max(len(self) - 1, 1))
        return recording

    def _add_charts(self, recording: Recording, share: float) -> None:
        """Adds the charts of the series to an entry's maps, whose place they mark. share: of the entries before it."""
        for maps in list(recording.all_maps.values()):
            if (chart := self.charts.get(maps.method)) is not None:
                marked = replace(chart, marked=chart.rows[round(share * (len(chart.rows) - 1))])
                recording.add([replace(maps, charts=(*maps.charts[: MOST_CHARTS - 1], marked))])


def load_series(folder: Path | str) -> Series:
    """Open the index of a series and its network, not its recordings. Raises RecordingError.

    If another replaces it meanwhile, that one is opened.
    """
    folder = Path(folder)
    document = read_index(folder)
    try:
        return _restore(folder, document)
    except RecordingError:
        newer = read_index(folder)
        if newer == document:
            raise
        return _restore(folder, newer)


def read_index(folder: Path) -> dict[str, Any]:
    """The JSON document of a series, of which only format and schema are checked. Raises RecordingError."""
    document: dict[str, Any] = read_json(folder / SERIES_DOCUMENT, SERIES_FORMAT, SERIES_SCHEMA)
    return document


def _restore(folder: Path, document: dict[str, Any]) -> Series:
    where = str(folder / SERIES_DOCUMENT)
    fields = JsonFields(document, where)
    axis, rate = fields.text("axis", MAX_AXIS), document.get("rate")
    check_axis(axis, rate, where)
    entries = fields.items("entries", _entry, MAX_ENTRIES)
    if not entries:
        raise RecordingError(f"{where}: the series has no entries; record it again")
    file = _file_name(fields.text("network"), NETWORK_NAME, f"{where}: network")
    network = restore_network(read_json(folder / file).get("network"), str(folder / file))
    peaks = fields.text("peaks")
    if peaks:
        _file_name(peaks, PEAKS_NAME, f"{where}: peaks")
    charts = parse_charts_by_method(fields.plain("charts"), where)
    return Series(folder, axis, float(rate), network, file, entries, fields.plain("origin"), peaks, charts)  # type: ignore[arg-type]


def check_axis(axis: str, rate: Any, where: str) -> None:
    """Raises RecordingError for an axis without a name or with a rate that isn't 0 to MAX_RATE entries a second."""
    if not axis or len(axis) > MAX_AXIS:
        raise RecordingError(f"{where}: the axis needs a name of 1 to {MAX_AXIS} characters, such as frame")
    if type(rate) not in (int, float) or not (0 <= rate <= MAX_RATE and math.isfinite(rate)):
        raise RecordingError(f"{where}: rate must be a number from 0 to {MAX_RATE:g} entries a second")


def _entry(value: Any, where: str) -> SeriesEntry:
    fields = JsonFields(value, where)
    label = text_entry(value.get("label"), f"{where}: label")
    return SeriesEntry(label, _file_name(fields.text("file"), ENTRY_NAME, f"{where}: file"))


def _file_name(name: str, pattern: re.Pattern[str], where: str) -> str:
    if not pattern.fullmatch(name):
        raise RecordingError(f"{where}: bad file name {name[:MAX_AXIS]!r}")
    return name


def network_difference(first: Network, second: Network) -> str:
    """Say in which layer or connection two graphs differ first; "" if they don't.

    Names and weights of the networks may differ: a series may be of one network in several states.
    """
    for own, other in zip_longest(first.layers, second.layers):
        if own != other:
            return _layer_difference(own, other)
    if first.edges != second.edges:
        pairs: Sequence[Any] = sorted({*first.edges} ^ {*second.edges}, key=repr) or first.edges
        return f"only one of them has the connection {pairs[0].source} to {pairs[0].target}"
    return ""


def _layer_difference(own: Any, other: Any) -> str:
    if own is None or other is None:
        return f"only one of them has layer {(own or other).id!r}"
    if own.id != other.id:
        return f"layer {other.id!r} is in the place of {own.id!r}"
    name = next(name for name, value in vars(own).items() if value != getattr(other, name))
    return f"{name} of layer {own.id!r} is {getattr(other, name)}, not {getattr(own, name)}"
