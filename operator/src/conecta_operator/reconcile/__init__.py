"""When, and in which order: from a change that was noticed to a status that tells what became of it."""
