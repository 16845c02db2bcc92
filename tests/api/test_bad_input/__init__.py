"""Whatever is sent: a problem with a code, no defect of ours, and nothing of what was sent comes back."""
