"""Tests share the cores among processes; libraries that each want every core for themselves mostly wait there."""

import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(threads, "1")
