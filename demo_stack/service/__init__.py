"""Photos: a small photo-sharing service on Django, as a customer would run it."""
