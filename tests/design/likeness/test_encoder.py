from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, Dinov2Config, Dinov2Model

from c2m.design.likeness.encoder import Encoder, MissingEncoder


def clip(folder: Path) -> Path:
    """An untrained CLIP of a few thousand weights."""
    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = small | {"vocab_size": 20, "max_position_embeddings": 8, "eos_token_id": 1}
    config = CLIPConfig(text_config=text, vision_config=small | {"image_size": 32, "patch_size": 8}, projection_dim=12)
    CLIPModel(config).save_pretrained(folder)
    return with_processor(folder)


def dino(folder: Path) -> Path:
    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=8)
    Dinov2Model(config).save_pretrained(folder)
    return with_processor(folder)


def with_processor(folder: Path) -> Path:
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("make", "numbers"), [(clip, 12), (dino, 16)])
def test_any_vision_model_describes_pictures(make, numbers, tmp_path):
    encoder = Encoder(make(tmp_path / "model"))
    red, again, striped = (encoder.of(image) for image in (plain("red"), plain("red"), stripes()))
    assert red.shape == (numbers,)
    assert np.linalg.norm(red) == pytest.approx(1)
    assert np.array_equal(red, again)
    assert np.linalg.norm(red - striped) > 0.01
    assert "model" in encoder.version


def test_a_directory_without_a_vision_model_says_so(tmp_path):
    with pytest.raises(MissingEncoder, match=r"preprocessor_config\.json"):
        Encoder(tmp_path)


def plain(colour: str) -> Image.Image:
    return Image.new("RGB", (48, 40), colour)


def stripes() -> Image.Image:
    rows = np.zeros((40, 48, 3), np.uint8)
    rows[::4] = 255
    return Image.fromarray(rows)
