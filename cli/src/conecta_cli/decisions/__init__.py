"""What is to be written, and what is to be said. Pure: the objects and the time come in as values."""
