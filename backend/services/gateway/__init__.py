"""What clients of OpenAI's API want: models, completions and embeddings."""
