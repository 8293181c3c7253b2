"""The parts of benchmarks.gate."""
