"""Input that nobody thought of: from the API's own description, by Schemathesis and by classes."""
