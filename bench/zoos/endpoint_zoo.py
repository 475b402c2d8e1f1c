"""Ten networks with various inputs and outputs: small configurations with random weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .graph_zoo import EDGES, FEATURES, NODES, Sparse
from .packages import import_zoo_packages
from .transformers_zoo import SEQ2SEQ, SMALL, VOCABULARY

SIDE = 64
VISION: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "image_size": SIDE,
    "patch_size": 16,
}  # fmt: skip
T5: dict[str, Any] = {
    "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "vocab_size": VOCABULARY,
    "decoder_start_token_id": 1,
}  # fmt: skip
DETR: dict[str, Any] = {
    "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "num_queries": 10, "num_labels": 7,
}  # fmt: skip


class Volumes(nn.Module):
    """A U-Net over volumes (N, 1, D, H, W) that gives scores of three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = nn.Conv3d(1, 8, 3, padding=1), nn.Conv3d(8, 16, 3, padding=1)
        self.up, self.merge, self.head = (
            nn.ConvTranspose3d(16, 8, 2, 2),
            nn.Conv3d(16, 8, 3, padding=1),
            nn.Conv3d(8, 3, 1),
        )

    def forward(self, volume: torch.Tensor) -> torch.Tensor:
        """Returns (N, 3, D, H, W)."""
        first = self.down1(volume).relu()
        second = self.down2(nn.functional.max_pool3d(first, 2)).relu()
        merged = self.merge(torch.cat([first, self.up(second)], 1)).relu()
        scores: torch.Tensor = self.head(merged)
        return scores


class Steps(nn.Module):
    """Two recurrent layers over steps (N, L, 6), and classes (N, 5) from the last step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(6, 12, 2, batch_first=True), nn.Linear(12, 5)

    def forward(self, steps: torch.Tensor) -> dict[str, torch.Tensor]:
        """Returns logits (N, 5) and the last state (2, N, 12)."""
        hidden, (state, _) = self.lstm(steps)
        return {"logits": self.head(hidden[:, -1]), "hidden_state": state}


def endpoint_networks() -> dict[str, Callable[[], tuple[nn.Module, Any]]]:
    """Returns functions that make a network and its inputs, by name. Raises ImportError without the packages."""
    import_zoo_packages()
    import transformers

    transformers.logging.set_verbosity_error()
    return {
        "CLIP": lambda: (_clip(), {"input_ids": _words(11), "pixel_values": _noise(1, 3, SIDE, SIDE)}),
        "T5": lambda: (
            _from("T5ForConditionalGeneration", "t5", use_cache=False, **T5),
            {"input_ids": _words(9), "decoder_input_ids": _words(5)},
        ),
        "BERT": lambda: (
            _from("BertForQuestionAnswering", "bert", **SMALL),
            {"input_ids": _words(11), "attention_mask": torch.ones(1, 11), "token_type_ids": torch.zeros(1, 11).long()},
        ),
        "Whisper": lambda: (
            _from("WhisperForConditionalGeneration", "whisper", use_cache=False, max_source_positions=100, **SEQ2SEQ),
            {"input_features": _noise(1, 80, 200), "decoder_input_ids": _words(4)},
        ),
        "DETR": lambda: (_detr(), {"pixel_values": _noise(1, 3, 128, 128)}),
        "SAM": lambda: (
            _sam(),
            {"pixel_values": _noise(1, 3, SIDE, SIDE), "input_points": torch.tensor([[[[20.0, 30.0]]]])},
        ),
        "RAFT": lambda: (_raft(), (_noise(1, 3, 128, 128), _noise(1, 3, 128, 128, seed=1))),
        "3-D U-Net": lambda: (Volumes(), _noise(1, 1, 8, 16, 16)),
        "GCN": lambda: (
            Sparse("convolution", False),
            (_noise(NODES, FEATURES), torch.randint(0, NODES, (2, EDGES), generator=_seed(0))),
        ),
        "LSTM": lambda: (Steps(), _noise(1, 20, 6)),
    }


def _seed(number: int) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def _noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=_seed(seed))


def _words(length: int) -> torch.Tensor:
    return torch.randint(3, VOCABULARY, (1, length), generator=_seed(0))


def _from(architecture: str, kind: str, **arguments: Any) -> nn.Module:
    import transformers

    config = transformers.AutoConfig.for_model(kind, **arguments)
    model: nn.Module = getattr(transformers, architecture)(config)
    return model


def _clip() -> nn.Module:
    text = {**SMALL, "max_position_embeddings": 16, "eos_token_id": 2}
    return _from("CLIPModel", "clip", text_config=text, vision_config=VISION, projection_dim=16)


def _detr() -> nn.Module:
    import transformers

    stages = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], out_features=["stage2"])
    return _from(
        "DetrForObjectDetection", "detr", use_timm_backbone=False, backbone=None, backbone_config=stages, **DETR
    )


def _sam() -> nn.Module:
    windows = {"window_size": 2, "global_attn_indexes": [1]}
    vision = {**VISION, "output_channels": 16, "num_pos_feats": 8, "mlp_dim": 48, **windows}
    prompts = {"hidden_size": 16, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4}
    decoder = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "mlp_dim": 24,
        "iou_head_hidden_dim": 16,
    }
    return _from("SamModel", "sam", vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)


def _raft() -> nn.Module:
    import torchvision

    model: nn.Module = torchvision.models.optical_flow.raft_small()
    return model
