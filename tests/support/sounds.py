"""Sound files that tests make with PyAV."""

import io

import numpy as np

RATE = 48_000


def tone(samples: int = 4000) -> np.ndarray:
    """(2, samples) float32: a tone, and half of it upside down."""
    wave = (np.sin(np.arange(samples) * 0.05) * 0.5).astype(np.float32)
    return np.stack([wave, wave * -0.5])


def encode(ending: str, codec: str, sample_format: str, values: np.ndarray | None = None) -> bytes:
    """The bytes of a stereo file. Needs PyAV."""
    import av

    values = tone() if values is None else values
    buffer = io.BytesIO()
    container = {".opus": "ogg", ".m4a": "ipod"}.get(ending, ending[1:])
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=RATE, layout="stereo")
        stream.format = sample_format
        resampler = av.AudioResampler(format=sample_format, layout="stereo", rate=RATE)
        for start in range(0, values.shape[1], 960):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(values[:, start : start + 960]), format="fltp", layout="stereo"
            )
            frame.rate, frame.pts = RATE, start
            for part in resampler.resample(frame):
                file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return buffer.getvalue()
