"""The world outside: the API server, and the token endpoint. Thin, and the only place that speaks HTTP."""
