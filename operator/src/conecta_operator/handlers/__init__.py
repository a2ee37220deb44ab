"""The door: the only room, with `__main__`, that knows kopf."""
