"""Every page, every call that it makes, every way in which a call can fail: the calls are found by looking, not listed."""
