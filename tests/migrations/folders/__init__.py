"""What earlier releases wrote, for this one to open: made once by `make older-folder`, with the code of that release."""
