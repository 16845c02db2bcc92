"""One product of two processes, watched while it does a bit of everything: what its logs and traces tell, and what not."""
