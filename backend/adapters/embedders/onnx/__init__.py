"""Embedding models of the sentence-transformers family, exported to ONNX, from a local folder."""

from backend.adapters.embedders.onnx.embedder import OnnxEmbedder

__all__ = ["OnnxEmbedder"]
