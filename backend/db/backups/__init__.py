"""All rows of the database on their way into a backup, and out of one."""
