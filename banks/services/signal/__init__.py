"""The cross-bank signal at a bank: ``consent`` to its terms, ``rounds`` that sum it, ``openings``
that were told, the ``joint`` view that features are built from, and its ``price``.
"""
