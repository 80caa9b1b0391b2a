"""A bank's part in the encrypted rounds: outbound calls only, one duty at a time.

``steps`` asks what is next and does it; ``agreement`` decides whom and which key to trust;
``contribution`` trains, encrypts and submits; ``custody`` signs the list, ``opening`` opens the sum
by the round's protocol (``protocols``); ``outcome`` derives the model, votes and takes it into use;
``ceremony`` makes a shared key.
"""
