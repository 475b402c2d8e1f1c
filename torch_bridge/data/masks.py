"""Data sets with labels of pixels from files: pictures beside index masks, and the published layout of Broden."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..inputs.image_files import check_size, open_picture, short_reason
from ..recording.errors import InputError
from ..recording.files import failure_text, open_file, read_file
from .labelled import MAX_CONCEPTS, Concept, LabelledData, PixelLabels, check_concepts
from .listing import is_picture

CONCEPTS_FILE, MASKS, PICTURES = "concepts.csv", "masks", "images"
BRODEN_INDEX, BRODEN_LABELS = "index.csv", "label.csv"
BRODEN_CATEGORIES = ("scene", "object", "part", "material", "texture", "color")
CONCEPT_COLUMNS = ("number", "name", "category")
MAX_TABLE = 256 << 20
"""Bytes of a table; Broden's index has 17 MB."""
SLACK = 2
"""Pixels by which masks may differ from the picture's proportions: they may be rounded to a smaller size."""
MAX_GROUPS, MAX_LABELS = 64, 1 << 27
"""Masks of one picture, and labels of all their pixels."""
MAX_NAME = 255
"""Bytes of a folder's name."""
MAX_PICTURES = 1_000_000
"""Rows of Broden's index, which has 63,305."""


class MaskFolder(LabelledData):
    """A folder with `images/NAME.jpg`, masks `masks/CATEGORY/NAME.png` of 8 or 16 bits, and `concepts.csv`.

    The table has the columns number (from 1, the masks' values; 0 is none), name and category. A picture needs no mask
    in every category.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        """Raises InputError for a table or folder that can't be read."""
        self._folder = folder.resolve()
        rows = list(_rows(folder / CONCEPTS_FILE, CONCEPT_COLUMNS, MAX_CONCEPTS))
        if [row["number"] for row in rows] != [str(number) for number in range(1, len(rows) + 1)]:
            raise InputError(f"{folder / CONCEPTS_FILE}: its numbers must be 1, 2, 3 … in order, each once")
        concepts = [Concept(row["name"], row["category"]) for row in rows]
        self.concept_table = check_concepts(concepts, str(folder / CONCEPTS_FILE))
        if wrong := next((name for name in self.categories if not _is_folder_name(name)), ""):
            raise InputError(f"{folder / CONCEPTS_FILE}: category {wrong[:80]!r} can't be the name of a folder")
        pictures = self._folder / PICTURES
        try:
            self._names = sorted(path.name for path in pictures.iterdir() if is_picture(path.name))
        except OSError as error:
            raise InputError(f"{pictures}: {failure_text(error)}; the pictures are there") from None
        if not self._names:
            raise InputError(f"{pictures}: no picture in it")
        super().__init__(name or self._folder.name, (), np.full(len(self._names), -1))

    def _picture(self, index: int, near: int) -> Image.Image:
        return open_picture(self._folder / PICTURES / self._names[index], near=near)

    def _title(self, index: int) -> str:
        return self._names[index]

    def state(self, index: int) -> str:
        """Returns a picture's name, its size in bytes and those of its masks, -1 for none."""
        picture = self._folder / PICTURES / self._names[self._checked(index)]
        return " ".join([picture.name, *(str(_bytes_of(path)) for path in (picture, *self._mask_places(index)))])

    def _mask_places(self, index: int) -> list[Path]:
        """Returns where a picture's masks are, if it has them, by category."""
        stem = Path(self._names[self._checked(index)]).stem
        return [self._folder / MASKS / category / f"{stem}.png" for category in self.categories]

    def pixel_labels(self, index: int) -> PixelLabels:
        """Returns the labels of a picture, a map for each category with a mask. Raises InputError."""
        stem = Path(self._names[self._checked(index)]).stem
        places = self._mask_places(index)
        found = _read_masks([place for place in places if place.is_file()], _index_mask, stem)
        for mask in found:
            self._check_proportions(index, mask)
        maps = _stacked(found, stem)
        return self.checked_labels(PixelLabels(maps, np.zeros(0, np.int32)), f"masks of {stem}")

    def _check_proportions(self, index: int, mask: np.ndarray) -> None:
        """Raises InputError for a mask that is wider or higher than the picture, by its proportions."""
        width, height = self.picture(index).size
        rows, columns = mask.shape
        if abs(rows * width - columns * height) > SLACK * max(width, height):
            raise InputError(
                f"a mask of {self._names[index]}: {columns} × {rows} pixels don't fit a picture of {width} × {height}"
            )


class BrodenData(LabelledData):
    """The published layout of Broden: `index.csv`, `label.csv` and `images/`; a mask's label is red + 256 green.

    Bau et al. 2017, http://netdissect.csail.mit.edu.
    """

    def __init__(self, folder: Path, name: str = "") -> None:
        """Raises InputError for tables that can't be read."""
        self._folder = folder.resolve()
        self._index = [
            (row["image"], ";".join(row.get(category) or "" for category in BRODEN_CATEGORIES))
            for row in _rows(folder / BRODEN_INDEX, ("image",), MAX_PICTURES)
        ]
        numbers: dict[int, Concept] = {}
        for row in _rows(folder / BRODEN_LABELS, CONCEPT_COLUMNS, MAX_CONCEPTS):
            if row["number"].isdecimal() and (number := int(row["number"][:9])):
                if number in numbers:
                    raise InputError(f"{folder / BRODEN_LABELS}: number {number} is there twice")
                # "category" may list several, each with a frequency: object(12) part(3)
                numbers[number] = Concept(row["name"], row["category"].partition("(")[0].strip())
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            raise InputError(f"{folder / BRODEN_LABELS}: its numbers must be 1 to {len(numbers):,}")
        self.concept_table = check_concepts([numbers[k] for k in sorted(numbers)], str(folder / BRODEN_LABELS))
        if not self._index:
            raise InputError(f"{folder / BRODEN_INDEX}: no picture in it")
        super().__init__(name or self._folder.name, (), np.full(len(self._index), -1))

    def _picture(self, index: int, near: int) -> Image.Image:
        return open_picture(self._inside(self._index[index][0]), near=near)

    def _title(self, index: int) -> str:
        return self._index[index][0]

    def pixel_labels(self, index: int) -> PixelLabels:
        """Returns the labels of a picture: masks, and numbers of labels of the whole picture. Raises InputError."""
        title, stated = self._index[self._checked(index)]
        parts = list(filter(None, stated.split(";")))
        whole = [int(part[:9]) for part in parts if part.isdecimal()]
        maps = _read_masks([self._inside(part) for part in parts if not part.isdecimal()], _broden_mask, title)
        labels = PixelLabels(_stacked(maps, title), np.array(whole, np.int32))
        return self.checked_labels(labels, f"labels of {title}")

    def _inside(self, relative: str) -> Path:
        """Returns a file of the images' folder. Raises InputError for a path that leads out of it."""
        path = (self._folder / PICTURES / relative.replace("\0", "")).resolve()
        if "\0" in relative or not path.is_relative_to(self._folder / PICTURES):
            raise InputError(f"{self._folder / BRODEN_INDEX}: {relative[:80]} leads out of the folder")
        return path


def _bytes_of(path: Path) -> int:
    """Returns a file's size; -1 where none can be reached."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _is_folder_name(name: str) -> bool:
    """Returns whether a name is that of a folder beside others, on any system."""
    return name not in (".", "..") and not set(name) & set("/\\:\0") and len(name.encode()) <= MAX_NAME


def _rows(table: Path, columns: Sequence[str], most: int) -> Iterator[Mapping[str, str]]:
    """Yields the rows of a CSV file whose head has these columns.

    Raises InputError, also for a short row, and for more than `most`.
    """
    try:
        text = read_file(table, MAX_TABLE).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if missing := next((column for column in columns if column not in (reader.fieldnames or ())), ""):
            raise InputError(f"{table}: it has no column {missing}")
        for number, row in enumerate(reader):
            if number >= most:
                raise InputError(f"{table}: more than {most:,} rows")
            if None in row or None in row.values():
                raise InputError(f"{table}: line {reader.line_num}: not as many fields as its head")
            yield row
    except OSError as error:
        raise InputError(f"{table}: {failure_text(error)}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table}: not a table in UTF-8 ({short_reason(error)})") from None


def _read_masks(paths: Sequence[Path], read: Callable[[Path, int], np.ndarray], where: str) -> list[np.ndarray]:
    """Returns the masks of a picture, each (H, W) int32. Raises InputError, before it reads any, for too many."""
    if len(paths) > MAX_GROUPS:
        raise InputError(f"{where}: {len(paths)} masks; at most {MAX_GROUPS}")
    return [read(path, MAX_LABELS // len(paths)) for path in paths]


def _opened(path: Path, most: int) -> Image.Image:
    """Returns a mask as it is stored. Raises InputError, also for one of more than `most` pixels."""
    try:
        with open_file(path) as file, Image.open(file, formats=["PNG"]) as image:
            check_size(path.name, *image.size)
            if image.width * image.height > most:
                raise InputError(f"mask {path}: too many pixels beside the picture's other masks; make them smaller")
            image.load()
            return image
    except OSError as error:
        raise InputError(f"mask {path}: can't be read ({short_reason(error)})") from None
    except (ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"mask {path}: damaged ({short_reason(error)})") from None


def _index_mask(path: Path, most: int) -> np.ndarray:
    """Returns (H, W) int32: the values of a PNG with one number a pixel, of at most so many."""
    image = _opened(path, most)
    if image.mode not in ("L", "P", "I;16", "I", "1"):
        raise InputError(f"mask {path}: a PNG of one channel is needed, this one is {image.mode}")
    return np.asarray(image).astype(np.int32)


def _broden_mask(path: Path, most: int) -> np.ndarray:
    values = np.asarray(_opened(path, most).convert("RGB")).astype(np.int32)
    return values[..., 0] + 256 * values[..., 1]


def _stacked(maps: Sequence[np.ndarray], where: str) -> np.ndarray:
    """Returns (G, H, W); smaller masks are enlarged to the largest. Raises InputError where these are too large."""
    if not maps:
        return np.zeros((0, 1, 1), np.int32)
    height, width = (max(labels.shape[axis] for labels in maps) for axis in (0, 1))
    if len(maps) * height * width > MAX_LABELS:
        raise InputError(f"{where}: {len(maps)} masks of up to {width} × {height} pixels; make them smaller")
    rows = (np.arange(height) * len(labels) // height for labels in maps)
    return np.array(
        [labels[down][:, np.arange(width) * labels.shape[1] // width] for labels, down in zip(maps, rows, strict=True)]
    )
