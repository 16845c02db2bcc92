"""Chat completions in OpenAI's shape: what is said, how it is encoded, and how it gets to the client."""
