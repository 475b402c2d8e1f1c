"""Small configurations of transformers: language and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from .candidate import Built, Candidate, picture_batch
from .packages import import_zoo_packages

WORDS, LENGTH, VOCABULARY = "words", 11, 99
PICTURE, SIDE = "picture", 64
SMALL: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
    "vocab_size": VOCABULARY,
}  # fmt: skip
GPT: dict[str, Any] = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": VOCABULARY}
ROTARY: dict[str, Any] = {**SMALL, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0}
SEQ2SEQ: dict[str, Any] = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "vocab_size": VOCABULARY, "pad_token_id": 0,
    "decoder_start_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
VIT: dict[str, Any] = {**SMALL, "image_size": SIDE, "patch_size": 8}
STAGES: dict[str, Any] = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 2, 1]}
CONFIGURATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    **dict.fromkeys(("bert", "roberta", "electra", "convbert", "deberta", "deberta-v2", "mpnet", "fnet",
                     "megatron-bert", "ernie", "camembert", "xlm-roberta", "roformer"), (WORDS, SMALL)),
    "squeezebert": (WORDS, {**SMALL, "embedding_size": 32}),
    "albert": (WORDS, {**SMALL, "embedding_size": 16}),
    "mobilebert": (WORDS, {**SMALL, "embedding_size": 32, "intra_bottleneck_size": 32, "true_hidden_size": 32}),
    "distilbert": (WORDS, {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": VOCABULARY}),
    "xlnet": (WORDS, {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48, "vocab_size": VOCABULARY}),
    "xlm": (WORDS, {"emb_dim": 32, "n_layers": 2, "n_heads": 4, "n_words": VOCABULARY}),
    "gpt2": (WORDS, GPT), "codegen": (WORDS, {**GPT, "rotary_dim": 4}), "gptj": (WORDS, {**GPT, "rotary_dim": 4}),
    "bloom": (WORDS, {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": VOCABULARY}),
    "gpt_neo": (WORDS, {"hidden_size": 32, "num_layers": 2, "num_heads": 4, "vocab_size": VOCABULARY,
                        "attention_types": [[["global", "local"], 1]]}),
    **dict.fromkeys(("gpt_neox", "opt"), (WORDS, {**SMALL, "word_embed_proj_dim": 32, "ffn_dim": 48})),
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "phi", "phi3", "olmo", "stablelm",
                     "cohere"), (WORDS, ROTARY)),
    "mixtral": (WORDS, {**ROTARY, "num_local_experts": 4}),
    "mamba": (WORDS, {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4, "vocab_size": VOCABULARY}),
    "rwkv": (WORDS, {**SMALL, "attention_hidden_size": 32}),
    "t5": (WORDS, {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "vocab_size": VOCABULARY,
                   "decoder_start_token_id": 0}),
    **dict.fromkeys(("bart", "mbart", "pegasus"), (WORDS, SEQ2SEQ)),
    **dict.fromkeys(("vit", "deit", "beit", "dinov2", "dinov3_vit", "vit_msn", "ijepa", "siglip_vision_model",
                     "clip_vision_model", "data2vec-vision"), (PICTURE, VIT)),
    "yolos": (PICTURE, {**VIT, "image_size": [SIDE, SIDE]}),
    "dpt": (PICTURE, {**VIT, "backbone_out_indices": [0, 1, 1, 1], "is_hybrid": False}),
    "swin": (PICTURE, {"image_size": SIDE, "patch_size": 4, "embed_dim": 16, "depths": [1, 2], "num_heads": [2, 4],
                       "window_size": 4}),
    "swinv2": (PICTURE, {"image_size": SIDE, "patch_size": 4, "embed_dim": 16, "depths": [1, 2], "num_heads": [2, 4],
                         "window_size": 4}),
    **dict.fromkeys(("convnext", "convnextv2", "poolformer"), (PICTURE, STAGES)),
    "resnet": (PICTURE, {**STAGES, "embedding_size": 8}), "regnet": (PICTURE, {**STAGES, "embedding_size": 8,
                                                                                "groups_width": 8}),
    "mobilenet_v1": (PICTURE, {"depth_multiplier": 0.25}), "mobilenet_v2": (PICTURE, {"depth_multiplier": 0.35}),
    "mobilevit": (PICTURE, {}), "mobilevitv2": (PICTURE, {}),
    "cvt": (PICTURE, {}),
    "efficientnet": (PICTURE, {"width_coefficient": 0.5, "depth_coefficient": 0.5, "hidden_dim": 640}),
    "levit": (PICTURE, {"image_size": SIDE, "hidden_sizes": [16, 32, 48], "num_attention_heads": [2, 4, 6],
                        "depths": [1, 1, 1], "key_dim": [8, 8, 8]}),
    "segformer": (PICTURE, {**STAGES, "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 4]}),
    "pvt_v2": (PICTURE, {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 4]}),
    "focalnet": (PICTURE, {"image_size": SIDE, "embed_dim": 16, "depths": [1, 1, 2, 1]}),
    "hiera": (PICTURE, {"image_size": [SIDE, SIDE], "embed_dim": 16, "depths": [1, 1, 2, 1]}),
}  # fmt: skip
"""Kind of input and arguments of the configuration, by the name that transformers gives to a kind of network."""


def transformers_networks() -> Iterator[Candidate]:
    """Lists the networks. Raises ImportError."""
    import_zoo_packages()
    import transformers

    transformers.logging.set_verbosity_error()
    for name, (kind, arguments) in CONFIGURATIONS.items():
        yield Candidate("transformers", name, partial(_build, name, kind, arguments))


def _build(name: str, kind: str, arguments: dict[str, Any]) -> Built:
    import transformers

    config = transformers.AutoConfig.for_model(name, **arguments)
    model = transformers.AutoModel.from_config(config).eval()
    generator = torch.Generator().manual_seed(0)
    if kind == WORDS:
        words = torch.randint(3, VOCABULARY, (2, LENGTH), generator=generator)
        batch = {"input_ids": words}
        if config.is_encoder_decoder:
            batch["decoder_input_ids"] = words.roll(1, 1)
        return Built.from_batch(model, batch)
    return Built.from_batch(model, {"pixel_values": picture_batch(3, SIDE, SIDE)})
