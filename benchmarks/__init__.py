"""Benchmarks of the exact expansion engine; ``python -m benchmarks`` runs them (see README.md)."""
