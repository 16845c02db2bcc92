"""Documents: in, listed, read, and out again."""
