"""The world outside: the API server and the token issuer, behind protocols. The only I/O."""
