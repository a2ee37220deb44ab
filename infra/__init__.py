"""What the platform team installs in a cluster: one module a layer, each a component that `__main__` wires."""
