"""Where the training computes, and how exactly."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Compute:
    """A device and the precision its matrix products use; weights stay 32-bit."""

    device: torch.device
    half: bool
    compiled: bool = False

    @classmethod
    def best(cls, device: str | None = None, *, compiled: bool = False) -> "Compute":
        """The device asked for, else CUDA where there is one; bfloat16 where the hardware multiplies it."""
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        half = chosen.type == "cuda" or torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        return cls(chosen, bool(half), compiled)

    def prepare(self, module: torch.nn.Module) -> None:
        """Have the module's operations fused by the compiler, if that was asked for; its weights stay as they are."""
        if self.compiled:
            module.compile(dynamic=False)

    def autocast(self) -> AbstractContextManager[None]:
        """Matrix products within run in bfloat16, if that is the precision."""
        context: AbstractContextManager[None] = torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)
        return context
