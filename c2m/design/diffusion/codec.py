"""The codec: pictures to latents by principal components of patches, and back by a small convolutional decoder."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput, DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from torch import Tensor, nn

FIRM = -30.0  # log variance of latents without noise


class Block(nn.Module):  # type: ignore[misc]  # torch is read without its types
    """Two convolutions beside an identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.second(nn.functional.silu(self.first(nn.functional.silu(x))))
        return x + inner


class Rise(nn.Sequential):  # type: ignore[misc]
    """Twice the pixels, by a convolution whose channels become neighbours."""

    def __init__(self, width: int, narrower: int) -> None:
        super().__init__(nn.Conv2d(width, narrower * 4, 3, padding=1), nn.PixelShuffle(2))


class PatchCodec(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Stands where a Stable Diffusion pipeline has its autoencoder.

    The encoder is linear and exact: each patch's principal components, partly whitened. The decoder was trained on
    latents with noise, which a denoiser's results resemble more than clean ones.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        latent_channels: int = 24,
        block_out_channels: tuple[int, ...] = (24,) * 5,  # the pipeline takes the stride from their number
        widths: tuple[int, int, int] = (128, 96, 56),
        scaling_factor: float = 1.0,
        force_upcast: bool = False,
    ) -> None:
        super().__init__()
        channels, stride = latent_channels, 2 ** (len(block_out_channels) - 1)
        coarse, middle, fine = widths
        self.encoder = nn.Conv2d(3, channels, stride, stride=stride)
        self.encoder.requires_grad_(False)
        factor = stride // 4
        self.decoder = nn.Sequential(
            nn.Conv2d(channels, coarse, 3, padding=1),
            Block(coarse),
            Block(coarse),
            Rise(coarse, middle),
            Block(middle),
            Block(middle),
            Rise(middle, fine),
            Block(fine),
            Block(fine),
            nn.SiLU(),
            nn.Conv2d(fine, 3 * factor**2, 3, padding=1),
            nn.PixelShuffle(factor),
        )

    def encode(self, x: Tensor, return_dict: bool = True) -> Any:
        """Latents of pictures in -1…1, as a distribution without spread."""
        mean = self.encoder(x)
        spread = DiagonalGaussianDistribution(torch.cat([mean, torch.full_like(mean, FIRM)], dim=1), deterministic=True)
        return AutoencoderKLOutput(latent_dist=spread) if return_dict else (spread,)

    def decode(self, z: Tensor, return_dict: bool = True, generator: torch.Generator | None = None) -> Any:
        """Pictures in -1…1 from latents."""
        sample = self.decoder(z)
        return DecoderOutput(sample=sample) if return_dict else (sample,)

    def latents_of(self, pictures: Iterable[npt.NDArray[np.uint8]], *, size: int) -> npt.NDArray[np.float16]:
        """Latents of pictures (height × width × 3), each enlarged to `size` pixels first if it is smaller."""
        rows = []
        with torch.inference_mode():
            for picture in pictures:
                pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
                rows.append(self.encoder(nn.functional.interpolate(pixels, size=(size, size)))[0])
        return np.asarray(torch.stack(rows), dtype=np.float16)

    def set_components(self, weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> None:
        """Take the principal components as the encoder's weights."""
        with torch.no_grad():
            self.encoder.weight.copy_(torch.from_numpy(weight))
            self.encoder.bias.copy_(torch.from_numpy(bias))


def principal_components(
    pictures: npt.NDArray[np.uint8], *, channels: int, stride: int, size: int, whitening: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Weights and bias of a strided convolution that gives the patches' first principal components.

    Pictures are n × side × side × 3, and may be smaller than the `size` the codec works at: its pixels are then
    averaged to theirs. Each component is divided by its standard deviation to the power `whitening`, and all of them
    by one number, so that latents have unit variance.
    """
    n, side = pictures.shape[:2]
    averaged = size // side
    patch = stride // averaged
    cells = side // patch
    scaled = pictures.reshape(n, cells, patch, cells, patch, 3).astype(np.float32) / 127.5 - 1
    patches = scaled.transpose(0, 1, 3, 5, 2, 4).reshape(-1, 3 * patch * patch)
    mean = patches.mean(axis=0)
    variance, basis = np.linalg.eigh(np.cov(patches, rowvar=False))
    deviation = np.sqrt(variance[::-1][:channels])
    scale = deviation**-whitening
    scale /= np.sqrt(np.mean((deviation * scale) ** 2))
    rows = (basis[:, ::-1][:, :channels] * scale).T
    bias = -rows @ mean
    kernels = rows.reshape(channels, 3, patch, patch).repeat(averaged, axis=2).repeat(averaged, axis=3) / averaged**2
    return kernels.astype(np.float32), bias.astype(np.float32)
