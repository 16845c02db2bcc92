"""Docent."""

import os

# Before anything loads numpy. Its products are of some thousand rows, in one of several threads: OpenBLAS's own threads, which spin
# while they wait for each other, made a search take forty times as long on two busy cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
