"""What steps of a run, families, protocols and phases are called, where people read of them.

On the wire they are names that the banks agree on; a name that is not here is shown as it is.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STEPS: dict[str, str | Promise] = {
    "statistics": _("averages and spreads of the features"),
    "histograms": _("counts of fraud and genuine by feature value"),
    "update": _("model update"),
    "newton": _("gradient and curvature of the fit"),
    "gram": _("products of the hidden layer's outputs"),
    "splits": _("gradients by feature value, for the next branches of a tree"),
    "blend": _("losses of the two models, to weigh them"),
    "metrics": _("score histograms"),
}

FAMILIES: dict[str, str | Promise] = {
    "mlp": _("neural network (MLP)"),
    "logistic": _("logistic regression"),
    "elm": _("extreme learning machine (ELM)"),
    "trees": _("boosted trees"),
    "blend": _("blend of logistic regression and boosted trees"),
    "ensemble": _("own and consortium's model joined"),
}
TRAINABLE = ("mlp", "logistic", "elm", "trees", "blend")
"""The families that a task can name; an ensemble is a bank's own."""


def step_name(step: str) -> str:
    """A step's name in the reader's language."""
    return str(STEPS.get(step, step))


def family_name(family: str) -> str:
    """A model family's name in the reader's language."""
    return str(FAMILIES.get(family, family or "–"))


PROTOCOLS: dict[str, str | Promise] = {
    "paillier-threshold": _("threshold Paillier"),
    "secagg": _("masked sums (secagg)"),
    "paillier-phe": _("one shared Paillier key (laboratory)"),
}


def protocol_name(protocol: str) -> str:
    """How the sums of a task or round are closed."""
    return str(PROTOCOLS.get(protocol, protocol))


PURPOSES: dict[str, str | Promise] = {
    "derived hash": _("hash of the result"),
    "freeze signature": _("signature under a list"),
    "gift": _("what a newcomer asked for, sealed to it"),
    "gift request": _("request to a fellow member"),
    "gift verdict": _("word on what a fellow member gave"),
    "key ceremony": _("public half of a key"),
    "log cosignature": _("cosignature of the log"),
    "mask keys": _("mask keys"),
    "opening share": _("part of a sum's opening"),
    "roster": _("signature under a roster"),
    "signal terms": _("vote on the signal's terms"),
    "vote": _("vote on a model"),
}


def purpose_name(purpose: str) -> str:
    """What a body left a bank for; an upload carries the name of its step."""
    return str(PURPOSES.get(purpose) or step_name(purpose))


PHASES: dict[str, dict[str, str | Promise]] = {
    "paillier-threshold": {
        "submission": _("encrypted uploads"),
        "list": _("freeze signatures"),
        "opening": _("partial decryptions"),
        "result": _("results"),
    },
    "secagg": {
        "keys": _("mask keys"),
        "submission": _("masked uploads"),
        "list": _("freeze signatures"),
        "opening": _("unmasking shares"),
        "result": _("results"),
    },
    "paillier-phe": {
        "submission": _("encrypted uploads"),
        "list": _("freeze signatures"),
        "opening": _("openings"),
        "result": _("results"),
    },
}


def phase_name(protocol: str, phase: str) -> str:
    """A phase of a round in the words of its protocol: what is made in it, in the plural."""
    return str(PHASES.get(protocol, {}).get(phase, phase))
