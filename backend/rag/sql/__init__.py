"""SQL in what models write: where it is, and what is said about it."""
