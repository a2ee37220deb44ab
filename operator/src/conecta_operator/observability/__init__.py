"""What people see of the operator from outside: log, metrics, probes."""
