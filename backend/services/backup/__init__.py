"""Backups: one file with the database, the uploaded files and the secret key, and the way back."""
