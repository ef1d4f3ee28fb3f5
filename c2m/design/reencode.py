"""Decode a stranger's picture and encode it anew; run as a child process with limits (`python -m c2m.design.reencode`).

Reads the upload from standard input and writes a WebP to standard output. Nothing of the original survives but
its pixels: no metadata, no place, no trailing bytes. On refusal it exits with 3 and one word on standard error.
"""

import io
import resource
import sys
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 40_000_000
SHORTEST_SIDE = 64
LONGEST_SIDE_KEPT = 1024
MEMORY_BYTES = 1_500_000_000
CPU_SECONDS = 10


def reencode(data: bytes) -> bytes:
    """The picture as a WebP of at most 1024 px a side.

    Raises:
        ValueError: one word that says why not: format, pixels, small or broken.
    """
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValueError("pixels")
            if min(opened.size) < SHORTEST_SIDE:
                raise ValueError("small")
            upright = ImageOps.exif_transpose(_in_8_bits(opened))
            upright.thumbnail((LONGEST_SIDE_KEPT, LONGEST_SIDE_KEPT), Image.Resampling.LANCZOS)
            flat = Image.new("RGB", upright.size, "white")
            with_alpha = upright.convert("RGBA")
            flat.paste(with_alpha, mask=with_alpha.getchannel("A"))
    except UnidentifiedImageError:
        raise ValueError("format") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError("pixels") from None
    except (OSError, SyntaxError, EOFError, MemoryError):
        raise ValueError("broken") from None
    out = io.BytesIO()
    flat.save(out, "WEBP", quality=88, method=4)
    return out.getvalue()


def _in_8_bits(opened: Image.Image) -> Image.Image:
    """Grey of 16 bits as grey of 8: Pillow would cut off what is brighter than 255."""
    if not opened.mode.startswith("I"):
        return opened
    grey = opened.convert("I").point(lambda value: value / 257).convert("L")
    grey.info = opened.info
    return grey


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes to its pipe and to no file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sys.stdout.buffer.write(reencode(sys.stdin.buffer.read()))
    except ValueError as refused:
        sys.stderr.write(str(refused))
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
