"""Nobody sees what is not theirs: every operation and every place for an id, generated from the API's own description."""
