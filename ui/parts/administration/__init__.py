"""Administration: a module for each tab. Each is loaded when it is looked at, and fails alone."""
