"""Writes a series entry by entry: at any moment its folder holds the old series, or the new one as far as it is."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .charts import Chart, chart_entries, describe_chart
from .data_model import Network
from .errors import RecordingError
from .maps_entries import first_bars
from .part_files import has_parts, part_prefix, remove_stale_parts
from .recording import Recording, describe, pictures
from .schema import FORMAT, SCHEMA, JsonFields, describe_network, read_json
from .series import (
    ENTRY_NAME,
    MAX_ENTRIES,
    NETWORK_NAME,
    SERIES_FORMAT,
    SERIES_SCHEMA,
    Series,
    SeriesEntry,
    check_axis,
    load_series,
    network_difference,
    read_index,
)
from .series_peaks import PEAKS, SeriesPeaks, encode_peaks, raise_peaks
from .writing import DOCUMENT, FILE_NAME, SERIES_DOCUMENT, save_maps, save_tensors, write_pieces

DATA_NAMES = (FILE_NAME, ENTRY_NAME, NETWORK_NAME)
"""What the names of a series' files look like, but for its index."""


class SeriesWriter:
    """Writes recordings of one network as a series; what was added stays, however the writing ends.

    with SeriesWriter(folder, "frame", 12.0) as writer:
        writer.add("frame 0", recording)
    """

    def __init__(
        self,
        folder: Path | str,
        axis: str,
        rate: float = 0.0,
        origin: Mapping[str, Any] | None = None,
        *,
        resume: bool = False,
    ) -> None:
        """Checks the folder. A series that is in it stays until the first entry is added.

        axis, rate, origin: as in `Series`. resume: go on with the series in the folder, if there is one. Raises
        RecordingError for a folder with something else, with a recording, or with a series of another origin.
        """
        self.folder, self.axis, self.rate, self.origin = Path(folder), axis, float(rate), dict(origin or {})
        check_axis(axis, rate, str(folder))
        self._entries: list[SeriesEntry] = []
        self._network: Network | None = None
        self._network_file = ""
        self._peaks: SeriesPeaks = {}
        self._bars: list[dict[str, Chart]] = []
        """The bars of each entry."""
        self._files: dict[str, set[str]] = {}
        """Names of the files of each entry's arrays, by the name of its own file."""
        if self._has_series() and resume:
            self._go_on(load_series(self.folder))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the entries that are written, those of a series that is gone on with included."""
        return tuple(entry.label for entry in self._entries)

    def add(self, label: str, recording: Recording) -> None:
        """Writes one more recording, which from then on is part of the series.

        Raises RecordingError for one of another network, and if it can't be written; the entries before it stay.
        """
        if len(self._entries) >= MAX_ENTRIES:
            raise RecordingError(f"{self.folder}: a series has at most {MAX_ENTRIES:,} entries")
        try:
            self._keep_network(label, recording.network)
            maps = save_maps(self.folder, recording.all_maps.values(), lambda share: None)
            saved: dict[str, Any] = {"pictures": save_tensors(self.folder, "pictures", pictures(recording))}
            saved["maps"] = maps
            file = self._write_json("entry", describe(recording, network=False) | saved)
            self._files[file] = _data_files(saved)
            raise_peaks(self._peaks, recording.all_maps.values())
            self._bars.append(first_bars(saved, file))
            self._entries.append(SeriesEntry(label, file))
            self._write_index()
        except OSError as error:
            raise self._failure(error) from None

    def __enter__(self) -> SeriesWriter:
        """Creates the folder. Raises RecordingError."""
        try:
            self._is_new = not self.folder.exists()
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_stale_parts(self.folder)
            self._before = set(os.listdir(self.folder))
            self._mark = tempfile.NamedTemporaryFile(prefix=part_prefix(), dir=self.folder)  # others see that we write
        except OSError as error:
            raise self._failure(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Writes the peaks, and removes files that belong to no entry, and the folder if it is new and empty."""
        try:
            if kind is None and self._entries:
                charts = chart_entries(self.labels, self._bars, self.axis)
                self._write_index(save_tensors(self.folder, PEAKS, encode_peaks(self._peaks)), charts)
        except OSError as failure:
            raise self._failure(failure) from None
        finally:
            self._clean_up()

    def _clean_up(self) -> None:
        self._mark.close()
        if not has_parts(self.folder):  # else another process writes here, and its files are in no index yet
            for name in self._surplus():
                (self.folder / name).unlink(missing_ok=True)
        if self._is_new and not os.listdir(self.folder):
            self.folder.rmdir()

    def _surplus(self) -> set[str]:
        """The names of files that belong to no entry: those of the former series, if it is replaced, or new ones."""
        found = {name for name in os.listdir(self.folder) if any(own.fullmatch(name) for own in DATA_NAMES)}
        try:
            series = load_series(self.folder)
        except RecordingError:
            return found - self._before
        entries = {entry.file for entry in series.entries}
        if not entries <= self._files.keys():
            return found - self._before
        return found - {series.network_file, series.peaks_file, *entries}.union(
            *(self._files[file] for file in entries)
        )

    def _has_series(self) -> bool:
        """Whether a series is in the folder. Raises RecordingError for one that can't be replaced, or a recording."""
        if os.path.lexists(self.folder / DOCUMENT):
            raise RecordingError(f"{self.folder}: it holds a recording; choose another folder for the series")
        if not os.path.lexists(self.folder / SERIES_DOCUMENT):
            return False
        try:
            read_index(self.folder)
        except RecordingError as error:
            raise RecordingError(f"{error}; choose another folder") from None
        if not (self.folder / SERIES_DOCUMENT).stat().st_mode & stat.S_IWUSR:  # root may write everything
            raise RecordingError(f"{self.folder / SERIES_DOCUMENT}: it is read-only; choose another folder")
        return True

    def _go_on(self, former: Series) -> None:
        own = (self.axis, self.rate, json.loads(json.dumps(self.origin)))
        if own != (former.axis, former.rate, former.origin):
            names = [name for name in {*own[2], *former.origin} if own[2].get(name) != former.origin.get(name)]
            differs = ", ".join(sorted(names)) or "axis or rate"
            raise RecordingError(
                f"{self.folder}: its series was made with another {differs}; make it anew, or elsewhere"
            )
        self._entries, self._network = list(former.entries), former.network
        self._network_file, self._peaks = former.network_file, dict(former.peaks)
        for entry in former.entries:
            document = read_json(self.folder / entry.file)
            self._files[entry.file] = _data_files(document)
            self._bars.append(first_bars(document, entry.file))

    def _keep_network(self, label: str, network: Network) -> None:
        """Writes the network of the first entry. Raises RecordingError for another one."""
        if self._network is None:
            document = {"format": FORMAT, "schema": SCHEMA, "network": describe_network(network)}
            self._network_file, self._network = self._write_json("network", document), network
        elif difference := network_difference(self._network, network):
            raise RecordingError(f"{label} is of another network than the entries before it: {difference}")

    def _write_index(self, peaks: str = "", charts: Mapping[str, Chart] | None = None) -> None:
        """Writes the index; peaks, charts: name of the file of peaks, and charts, that fit these entries."""
        document: dict[str, Any] = {
            "format": SERIES_FORMAT,
            "schema": SERIES_SCHEMA,
            "axis": self.axis,
            "rate": self.rate,
            "origin": self.origin,
            "network": self._network_file,
            "entries": [vars(entry) for entry in self._entries],
        } | ({"peaks": peaks} if peaks else {})
        if charts:
            document["charts"] = {method: describe_chart(chart) for method, chart in charts.items()}
        write_pieces(self.folder, [_encoded(document)], lambda digest: SERIES_DOCUMENT)

    def _write_json(self, stem: str, document: Mapping[str, Any]) -> str:
        return write_pieces(self.folder, [_encoded(document)], lambda digest: f"{stem}-{digest}.json")

    def _failure(self, error: OSError) -> RecordingError:
        return RecordingError(f"{self.folder}: can't write the series ({error.strerror or error})")


def _data_files(document: Mapping[str, Any]) -> set[str]:
    """The names of the files of an entry's arrays. Raises RecordingError for a document of a damaged entry."""
    fields = JsonFields(document, "an entry of the series")
    maps = fields.items("maps", lambda entry, where: JsonFields(entry, where).text("file", 255))
    return {fields.text("pictures", 255), *maps}


def _encoded(document: Mapping[str, Any]) -> bytes:
    """JSON as UTF-8; file names may have bytes that are no text."""
    return json.dumps(document, ensure_ascii=False).encode(errors="replace")
