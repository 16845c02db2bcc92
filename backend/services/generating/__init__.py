"""Plain generation, under everything that only wants a model to write."""
