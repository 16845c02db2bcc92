"""Assistants, over a socket, with the stand-in as the model."""
