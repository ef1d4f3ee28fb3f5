"""c2m: demand first, production after."""

__version__ = "0.1.0"
