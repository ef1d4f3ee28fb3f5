"""The parts of the pipeline as the recipe sizes them, with random weights."""

from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from c2m.design.diffusion.recipe import Recipe


def text_encoder(recipe: Recipe, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Words to vectors, as wide as the UNet's `encoder_hid_dim`."""
    text = recipe.text
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=text.width,
            intermediate_size=text.width * 4,
            projection_dim=text.width,
            num_hidden_layers=text.layers,
            num_attention_heads=text.heads,
            max_position_embeddings=text.tokens,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def denoiser(recipe: Recipe) -> UNet2DConditionModel:
    """The UNet: attention to words at the two finer levels, and all words pooled into its sense of time."""
    settings, channels = recipe.denoiser, recipe.codec.channels
    return UNet2DConditionModel(
        sample_size=recipe.latent_size,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=settings.widths,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=settings.heads,
        norm_num_groups=settings.groups,
        cross_attention_dim=recipe.text.width,
        encoder_hid_dim=recipe.text.width,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=recipe.text.heads,
    )


def scheduler() -> DDIMScheduler:
    """Velocity prediction from pure noise, with steps counted from the noisy end."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
