"""Measurements of the real product. Nothing here passes or fails; see docs/benchmarks.md."""
