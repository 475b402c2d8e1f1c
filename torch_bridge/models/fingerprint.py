"""Hashes of weights, by which files that were made for a network are recognised."""

from __future__ import annotations

import hashlib

import torch
from torch import nn


def weights_fingerprint(model: nn.Module) -> str:
    """Hash of all parameters and buffers: equal for equal values, whatever file they came from."""
    digest = hashlib.blake2b(digest_size=12)
    for name, value in model.state_dict().items():
        if torch.is_tensor(value):
            digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
            if value.is_meta:  # has no values
                continue
            digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
