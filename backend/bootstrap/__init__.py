"""From settings to services: the only floor that names concrete adapters."""
