"""Measurements that anybody can repeat: figures, how they came about, and nothing else."""
