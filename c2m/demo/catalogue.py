"""The demo's belts, products and concepts, read from the files beside this one."""

import tomllib
from importlib import resources
from typing import TypeVar

from pydantic import TypeAdapter

from c2m.demo.belts import Belt, Trade
from c2m.demo.ideas import Idea
from c2m.demo.products import Product

T = TypeVar("T")


def _read(name: str, part: str, shape: type[T]) -> T:
    """One part of a file in the shape it must have."""
    text = resources.files("c2m.demo").joinpath(name).read_text(encoding="utf-8")
    return TypeAdapter(shape).validate_python(tomllib.loads(text)[part])


TRADES = _read("belts.toml", "trade", dict[str, Trade])
BELTS = _read("belts.toml", "belt", tuple[Belt, ...])
PRODUCTS = _read("products.toml", "product", tuple[Product, ...])
DRAFTS = _read("products.toml", "draft", tuple[Product, ...])
IDEAS = _read("ideas.toml", "idea", tuple[Idea, ...])
