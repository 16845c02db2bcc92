"""SQL in replies of many shapes."""
