"""How it is written: templates filled in strictly. Pure."""
