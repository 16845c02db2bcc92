"""Answering: retrieve, pack, stream, cite, store."""
