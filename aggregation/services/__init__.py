"""What changes the centre's rows. Each function is one transaction with its audit entry.

Locks are taken in one order everywhere: round with its run, log, audit.
"""
