"""Opens files of scans: DICOM and NIfTI, with the package that each needs."""

from __future__ import annotations

import io
from pathlib import Path

from ..recording.errors import InputError
from ..recording.files import failure_text, read_file
from .dicom_files import parse_dicom
from .image_files import short_reason
from .nifti_files import parse_nifti
from .scans import Scan

MAX_BYTES = 1 << 29


def read_scan(path: Path, content: bytes | None = None) -> Scan:
    """Reads a `.dcm`, `.dicom`, `.nii` or `.nii.gz` file, or its `content`. Raises InputError."""
    try:
        body = read_file(path, MAX_BYTES) if content is None else content
    except OSError as error:
        raise InputError(f"scan {path}: {failure_text(error)}") from None
    is_dicom = path.suffix.lower() in (".dcm", ".dicom")
    try:
        return (parse_dicom if is_dicom else parse_nifti)(io.BytesIO(body))
    except InputError as error:
        raise InputError(f"scan {path}: {error}") from None
    except Exception as error:  # both packages raise anything for a damaged file
        kind = "DICOM" if is_dicom else "NIfTI"
        raise InputError(f"scan {path}: not a {kind} file, or damaged ({short_reason(error)})") from error
