"""How answers look: objects as kubectl prints them, and tables and explanations for people."""
