"""Whole pipelines of untrained weights, small enough to be made for a test: Stable Diffusion, its XL, and Flux."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from c2m.design.diffusion.tokenizer import write_tokenizer

SIDE = 32  # pixels
WIDTH = 32


def stable_diffusion(folder: Path) -> Path:
    torch.manual_seed(0)
    tokenizer = _tokenizer(folder)
    return _saved(
        folder,
        StableDiffusionPipeline(
            vae=_autoencoder(4),
            text_encoder=CLIPTextModel(_text(tokenizer)),
            tokenizer=tokenizer,
            unet=_unet(cross_attention_dim=WIDTH),
            scheduler=PNDMScheduler(skip_prk_steps=True, steps_offset=1),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ),
    )


def stable_diffusion_xl(folder: Path) -> Path:
    torch.manual_seed(0)
    tokenizer = _tokenizer(folder)
    unet = _unet(
        cross_attention_dim=2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
    )
    return _saved(
        folder,
        StableDiffusionXLPipeline(
            vae=_autoencoder(4),
            text_encoder=CLIPTextModel(_text(tokenizer)),
            text_encoder_2=CLIPTextModelWithProjection(_text(tokenizer)),
            tokenizer=tokenizer,
            tokenizer_2=tokenizer,
            unet=unet,
            scheduler=EulerDiscreteScheduler(timestep_spacing="trailing", steps_offset=1),
        ),
    )


def flux(folder: Path) -> Path:
    torch.manual_seed(0)
    tokenizer = _tokenizer(folder)
    letters = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", -10.0),
        *((letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz,"),
    ]
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
    )
    return _saved(
        folder,
        FluxPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(),
            vae=_autoencoder(4, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.0),
            text_encoder=CLIPTextModel(_text(tokenizer)),
            tokenizer=tokenizer,
            text_encoder_2=T5EncoderModel(
                T5Config(vocab_size=200, d_model=WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1, num_heads=2)
            ),
            tokenizer_2=T5Tokenizer(letters, extra_ids=0, model_max_length=16),
            transformer=transformer,
        ),
    )


def _tokenizer(folder: Path) -> CLIPTokenizer:
    return write_tokenizer(folder / "words", tokens=24)


def _text(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=24,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _autoencoder(channels: int, **more: Any) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=SIDE,
        **more,
    )


def _unet(**more: Any) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        block_out_channels=(16, 32),
        layers_per_block=1,
        sample_size=SIDE // 2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=8,
        norm_num_groups=8,
        **more,
    )


def _saved(folder: Path, pipeline: Any) -> Path:
    pipeline.save_pretrained(str(folder), safe_serialization=True)
    return folder
