"""Scans that tests make with pydicom and nibabel."""

import gzip
import io

import numpy as np

EXPLICIT, BIG_ENDIAN, JPEG_LS = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.80"


def dicom(pixels: np.ndarray, syntax: str = EXPLICIT, body: bytes | None = None, **fields: object) -> bytes:
    """The bytes of a DICOM file: (H, W), (frames, H, W) uint8, int16 or uint16, or (H, W, 3) uint8.

    body: the pixels as they are stored, if compressed.
    """
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.encaps import encapsulate

    found = pydicom.Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    found.file_meta.MediaStorageSOPClassUID, found.file_meta.MediaStorageSOPInstanceUID = "1.2.3", "1.2.3.4"
    is_colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    sizes = pixels.shape[:2] if is_colour else pixels.shape[-2:]
    found.Rows, found.Columns = sizes
    found.SamplesPerPixel, found.PhotometricInterpretation = (3, "RGB") if is_colour else (1, "MONOCHROME2")
    if is_colour:
        found.PlanarConfiguration = 0
    elif pixels.ndim == 3:
        found.NumberOfFrames = len(pixels)
    found.BitsAllocated = found.BitsStored = 8 * pixels.itemsize
    found.HighBit, found.PixelRepresentation = found.BitsStored - 1, int(pixels.dtype.kind == "i")
    is_big = syntax == BIG_ENDIAN
    stored = pixels.astype(pixels.dtype.newbyteorder(">" if is_big else "<")).tobytes()
    found.PixelData = encapsulate([body]) if body is not None else stored
    found["PixelData"].VR = "OB" if pixels.itemsize == 1 or body is not None else "OW"
    for name, value in fields.items():
        setattr(found, name, value)
    buffer = io.BytesIO()
    found.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def nifti(values: np.ndarray, affine: np.ndarray | None = None, packed: bool = False, kind: int = 1, **fields) -> bytes:
    """The bytes of a NIfTI file of version `kind`; fields: of its header, such as scl_slope."""
    import nibabel

    maker = nibabel.Nifti1Image if kind == 1 else nibabel.Nifti2Image
    content = bytearray(maker(values, np.eye(4) if affine is None else affine).to_bytes())
    if fields:
        size = 348 if kind == 1 else 540
        header = maker.header_class(bytes(content[:size]), check=False)
        for name, value in fields.items():
            header[name] = value
        content[:size] = header.binaryblock
    return gzip.compress(bytes(content)) if packed else bytes(content)
