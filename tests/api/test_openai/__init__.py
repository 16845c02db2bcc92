"""OpenAI's own clients against a running product, as they are."""
