"""Whether a value that a user gives for an input names one, such as a file or words, or is the value itself."""

from __future__ import annotations

import os
from pathlib import PurePath

PREFIXES = ("ids:", "text:", "noise:")
TENSORS = (".npy", ".npz", ".safetensors")
ARCHIVES = TENSORS[1:]
"""Files of several tensors, each with a name."""
SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".aiff", ".aif", ".au", ".wma")
SCANS = (".dcm", ".dicom", ".nii", ".nii.gz")
PICTURES = (".bmp", ".gif", ".jpg", ".jpeg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Usual endings of pictures; a file of any other ending is read as a picture too."""


def names_input(value: object) -> bool:
    """Whether a value names an input: a path, `ids:…`, `text:…`, `noise:…`, or a text that ends as files of inputs do.

    Other texts may be what a network's argument takes, such as "mean".
    """
    if not isinstance(value, str):
        return isinstance(value, PurePath)
    path, _, name = value.rpartition(":")
    endings = (*TENSORS, *SOUNDS, *SCANS, *PICTURES)
    is_file = value.lower().endswith(endings) or (bool(name) and path.lower().endswith(ARCHIVES))
    return value.startswith(PREFIXES) or is_file or os.path.isfile(value)
