"""What matching's journeys ask for: the worker, and browsers signed in as each person."""

from tests.demand.conftest import go, said, worker

__all__ = ["go", "said", "worker"]
