"""A small Django application to gate."""
