"""What a newcomer is given by its fellow members, sealed and checked against what they signed.

``asking`` is the newcomer's side, ``giving`` the peer's; ``models`` and ``signals`` are the two
things that are given: the published model, and the opened past of the cross-bank signal.
"""
