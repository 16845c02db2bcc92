"""OpenAI's API on the wire. Fields that are not known here are ignored, for its clients send what their newest release knows."""
