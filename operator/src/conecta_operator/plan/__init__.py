"""What ought to be: decisions over a world that is handed in. Pure."""
