"""What a release may rely on of its database's schema, written down, so that the next release can be held to it."""
