"""What is wrong with a store of Chroma is found before it is opened, and the loss is told until somebody has taken note."""
