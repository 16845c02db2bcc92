"""Documents while they are being indexed: watched, cancelled, tried again and replaced."""
