"""Whatever is planted is found, nothing else is, and all of it is mended."""
