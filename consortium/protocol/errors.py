"""How anything here says no: a code for programs, a sentence for people."""

from __future__ import annotations


def gettext_noop(sentence: str) -> str:
    """Mark a sentence for translation without needing Django (this package is pure)."""
    return sentence


class Refused(Exception):  # noqa: N818 - the word users and audit rows see
    """A request that was understood and declined; nothing has changed.

    ``sentence`` is an English message id with ``%(name)s`` places for ``params``. Whoever shows
    it translates it first; ``field`` names the input it belongs to, if there is one.
    """

    def __init__(
        self, code: str, sentence: str, *, field: str | None = None, **params: object
    ) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence
        self.field = field
        self.params = params

    def __str__(self) -> str:
        return self.sentence % self.params if self.params else self.sentence


class ProtocolRefused(Refused):
    """Something that crossed the wire, or was about to, breaks the protocol."""
