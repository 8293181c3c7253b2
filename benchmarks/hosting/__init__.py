"""A loaded host for benchmarks of what watches it: uWSGI with eight workers, the agent, peers."""
