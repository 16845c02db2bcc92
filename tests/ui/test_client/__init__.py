"""The pages' client: whatever the server says, it gives back what was asked for or says in words why not."""
