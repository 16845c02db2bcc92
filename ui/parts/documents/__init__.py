"""Documents: dropped, listed, watched, read and deleted."""
