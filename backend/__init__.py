"""Docent."""

import os

# Before anything loads numpy. Its products are of hundreds of rows, in one of several threads: OpenBLAS's own threads, which wait for
# each other by spinning, made a search take forty times as long on two busy cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
