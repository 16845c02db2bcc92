"""Changes of the embedding model, and collections that are filled again."""
