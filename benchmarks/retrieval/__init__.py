"""How good the search of the product is on public sets, by leg and fused, with each embedder.

Run it with ``python -m benchmarks.retrieval --datasets DIR --model DIR``: a folder of sets in the layout of BEIR, and the folder of
an ONNX model. ``--sweep`` prints what other weights and thresholds would give. It starts the real servers in a temporary folder.
"""
