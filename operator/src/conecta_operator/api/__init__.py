"""What users write, what is reported to them, and what identifies objects. Pure."""
