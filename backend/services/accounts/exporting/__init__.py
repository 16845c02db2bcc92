"""Everything that an account has, as one zip file."""
