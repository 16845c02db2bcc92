"""Answers as they arrive: what may go wrong on either side of the stream, and what is stored of it."""
