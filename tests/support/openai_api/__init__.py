"""OpenAI's wire format on the stand-in's port, as Ollama has it too."""
