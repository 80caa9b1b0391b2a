"""Every bank alone, together, and pooled: what the consortium is worth on given data."""

from consortium.benchmarks.detection.comparison import run

__all__ = ["run"]
