"""Streams that are cut and resumed, and answers that are stopped: in the process that gives them, and in another one."""
