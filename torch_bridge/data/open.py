"""Opens a data set by the text that names it."""

from __future__ import annotations

import os
from pathlib import Path

from ..recording.errors import InputError
from ..recording.files import user_path
from .archive import ArchiveData
from .base import DataSet
from .concepts import ConceptsData
from .folder import FolderData
from .idx import IdxData, image_files, is_idx
from .masks import BRODEN_INDEX, BRODEN_LABELS, CONCEPTS_FILE, MASKS, BrodenData, MaskFolder
from .toybox import ToyboxData


def open_data(text: str, name: str = "") -> DataSet:
    """Open `concepts:object`, `toybox`, a folder of images, a .zip of them, a folder with idx files, or one idx file.

    name: the name of the data set, by default that of its file. Raises InputError.
    """
    if text.startswith("concepts:"):
        return ConceptsData(text.removeprefix("concepts:"), name)
    if text == "toybox" or text.startswith("toybox:"):
        return ToyboxData(text.removeprefix("toybox").removeprefix(":"), name)
    path = user_path(text)
    try:
        if os.path.isdir(path):
            return _from_folder(path, name)
        if os.path.isfile(path):
            return IdxData(path, name) if is_idx(path) else ArchiveData(path, name)
    except OSError as error:
        raise InputError(f"data set {text}: can't be read ({error.strerror})") from None
    raise InputError(f"data set {text}: no such folder or file; give a folder of pictures, a .zip, or concepts:object")


def _from_folder(folder: Path, name: str) -> DataSet:
    if (folder / CONCEPTS_FILE).is_file() and (folder / MASKS).is_dir():
        return MaskFolder(folder, name)
    if (folder / BRODEN_INDEX).is_file() and (folder / BRODEN_LABELS).is_file():
        return BrodenData(folder, name)
    files = image_files(folder)
    if len(files) > 1:
        raise InputError(f"folder {folder}: {len(files)} sets of idx files; name one: {', '.join(map(str, files))}")
    return IdxData(files[0], name) if files else FolderData(folder, name)
