"""The Model Context Protocol: Docent as tools, resources and a prompt for agents.

``door`` is what the application holds; ``exchange`` answers one request; ``tools`` are what can be called. ``server`` and what it
imports need the SDK, which is loaded when the first request comes.
"""
