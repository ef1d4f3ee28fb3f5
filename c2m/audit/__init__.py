"""The audit: what must always hold, recomputed from the rows alone."""

from c2m.audit.check import Finding
from c2m.audit.running import run

__all__ = ["Finding", "run"]
