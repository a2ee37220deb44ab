"""The whole platform as processes on one machine: for a first look, for development and for the platform tests."""
