"""`kubectl conecta`: what people do with grants beyond plain kubectl. Uses the rights of whoever runs it, no others."""
