"""What a run will take this bank: bytes reckoned, seconds and memory measured on this node.

``agreed`` is what a task will ask for; ``rehearsing`` measures this node before the first run;
``reckoning`` makes the estimate of it, or of the run before, and keeps it with the run.
"""
