"""Per-request CPU counters for Python web workers."""
