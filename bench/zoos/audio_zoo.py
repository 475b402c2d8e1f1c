"""Networks for sound: small configurations of transformers, and networks of one-dimensional convolutions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from .candidate import Built, Candidate
from .packages import import_zoo_packages

SAMPLES, BANDS, FRAMES, WIDTH = 4000, 16, 40, 8
SMALL: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 99,
}  # fmt: skip
WAVE: dict[str, Any] = {
    **SMALL, "conv_dim": (16, 16, 16), "conv_stride": (5, 4, 2), "conv_kernel": (10, 3, 3),
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "num_feat_extract_layers": 3,
}  # fmt: skip
CONFIGURATIONS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    **dict.fromkeys(("wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat", "data2vec-audio", "sew"),
                    ("input_values", (SAMPLES,), WAVE)),
    "wav2vec2-conformer": ("input_values", (SAMPLES,), {**WAVE, "conv_depthwise_kernel_size": 5}),
    "audio-spectrogram-transformer": ("input_values", (FRAMES, BANDS),
                                      {**SMALL, "max_length": FRAMES, "num_mel_bins": BANDS, "patch_size": 8}),
    "wav2vec2-bert": ("input_features", (FRAMES, BANDS), {**SMALL, "feature_projection_input_dim": BANDS}),
    "encodec": ("input_values", (1, SAMPLES), {"hidden_size": 16, "num_filters": 4, "codebook_size": 16,
                                               "codebook_dim": 16}),
    "whisper": ("input_features", (BANDS, 2 * FRAMES),
                {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
                 "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "vocab_size": 99,
                 "num_mel_bins": BANDS, "max_source_positions": FRAMES, "pad_token_id": 0, "eos_token_id": 2,
                 "decoder_start_token_id": 1}),
}  # fmt: skip
"""Name of the input, its shape without the batch, and arguments of the configuration, by kind in transformers."""


class Separator(nn.Module):
    """Masks a coded wave, chunk by chunk (after Luo et al., Dual-path RNN, ICASSP 2020)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Conv1d(1, WIDTH, 16, 8), nn.ConvTranspose1d(WIDTH, 1, 16, 8)
        self.inside, self.across = (nn.LSTM(WIDTH, WIDTH, batch_first=True) for _ in range(2))
        self.mask = nn.Conv1d(WIDTH, WIDTH, 1)

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        """Returns waves (N, 1, L) float32 of waves (N, 1, L)."""
        coded = self.encoder(wave)
        count, channels, steps = coded.shape
        length = 10
        chunks = coded[..., : steps - steps % length].reshape(count, channels, -1, length).permute(0, 2, 3, 1)
        pieces = chunks.shape[1]
        inside = self.inside(chunks.reshape(-1, length, channels))[0].view(count, pieces, length, channels)
        across = self.across(inside.transpose(1, 2).reshape(-1, pieces, channels))[0]
        mixed = across.view(count, length, pieces, channels).permute(0, 3, 2, 1).reshape(count, channels, -1)
        wave = self.decoder(coded[..., : mixed.shape[-1]] * self.mask(mixed).sigmoid())
        return wave


class SpectrumRecurrent(nn.Module):
    """Convolutions over a spectrogram, then a GRU over its frames, whose batch is axis 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.cells = nn.Conv2d(1, 4, 3, padding=1), nn.GRU(4 * BANDS, WIDTH, bidirectional=True)
        self.head = nn.Linear(2 * WIDTH, 5)

    def forward(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Returns scores (N, T, 5) of spectrograms (N, bands, T)."""
        features = self.conv(spectrum[:, None]).relu().permute(3, 0, 1, 2).flatten(2)
        scores: torch.Tensor = self.head(self.cells(features)[0]).transpose(0, 1)
        return scores


class FromSpectrum(nn.Module):
    """Computes a spectrogram itself, with complex values."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(64))
        self.conv, self.head = nn.Conv1d(33, WIDTH, 3), nn.Linear(WIDTH, 4)

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        """Returns scores (N, 4) of waves (N, L)."""
        spectrum = torch.stft(wave, 64, window=self.window, return_complex=True).abs().log1p()
        scores: torch.Tensor = self.head(self.conv(spectrum).mean(-1))
        return scores


def _waves(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv1d(1, WIDTH, 80, 16), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.MaxPool1d(4), *layers)


OWN: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "wave convolutions": (
        lambda: _waves(nn.Conv1d(WIDTH, 16, 3), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 4)), (1, SAMPLES),
    ),
    "dilated convolutions": (
        lambda: _waves(nn.Conv1d(WIDTH, WIDTH, 3, dilation=4, groups=WIDTH), nn.GroupNorm(1, WIDTH), nn.PReLU()),
        (1, SAMPLES),
    ),
    "dual path": (Separator, (1, SAMPLES)),
    "spectrogram and GRU": (SpectrumRecurrent, (BANDS, FRAMES)),
    "own spectrogram": (FromSpectrum, (SAMPLES,)),
}  # fmt: skip
"""Network, and shape of an input without the batch."""


def audio_networks() -> Iterator[Candidate]:
    """Lists the networks. Raises ImportError."""
    for name, (build, shape) in OWN.items():
        yield Candidate("audio", name, partial(_own, build, shape))
    import_zoo_packages()
    for name, (input, shape, arguments) in CONFIGURATIONS.items():
        yield Candidate("audio", f"transformers {name}", partial(_of_transformers, name, input, shape, arguments))


def _noise(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn((2, *shape), generator=torch.Generator().manual_seed(0))


def _own(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> Built:
    return Built.from_batch(build(), _noise(shape))


def _of_transformers(name: str, input: str, shape: tuple[int, ...], arguments: dict[str, Any]) -> Built:
    import transformers

    model = transformers.AutoModel.from_config(transformers.AutoConfig.for_model(name, **arguments))
    batch = {input: _noise(shape)}
    if name == "whisper":
        batch["decoder_input_ids"] = torch.arange(14).view(2, 7) % 90 + 3
    return Built.from_batch(model, batch)
