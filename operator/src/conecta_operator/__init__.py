"""Reconciles ConectaApi and ConectaGrant into gateway routes, policies and OAuth 2 credentials."""
