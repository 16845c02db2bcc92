"""Several API processes on one address, under one that runs the servers, the jobs and the pages."""
