"""Which typology asks for which steps. Their words stand beside their codes in the model."""

from __future__ import annotations

from typing import Final

from banks.models import CaseStep, ReasonCode
from banks.services.alerts import REASONS

Step = CaseStep.Code

TYPOLOGIES: Final = REASONS["fraud"]  # one list for alerts and cases
GENERAL: Final = (Step.FACTS, Step.CALL_CUSTOMER, Step.CALL_AGAIN)
_SCAM: Final = (*GENERAL, Step.ALONE, Step.POLICE, Step.PAYEE_BANK, Step.RELATED)
_CARD: Final = (*GENERAL, Step.CARD_HELD, Step.CARD_BLOCK, Step.MERCHANT)
CHECKLISTS: Final[dict[str, tuple[str, ...]]] = {
    ReasonCode.ORE_ORE: _SCAM,
    ReasonCode.REFUND: (*_SCAM, Step.ATM),
    ReasonCode.FICTITIOUS_BILL: (*_SCAM, Step.CONTRACT),
    ReasonCode.DEPOSIT_FRAUD: (*_SCAM, Step.CARD_BLOCK, Step.ATM),
    ReasonCode.LOAN_GUARANTEE: (*_SCAM, Step.CONTRACT),
    ReasonCode.INVESTMENT: (*_SCAM, Step.CONTRACT),
    ReasonCode.PHISHING: (*GENERAL, Step.CREDENTIALS, Step.PAYEES, Step.PAYEE_BANK, Step.POLICE),
    ReasonCode.STOLEN_CARD: (*_CARD, Step.POLICE),
    ReasonCode.COMPROMISED_MERCHANT: (*_CARD, Step.ACQUIRER),
    ReasonCode.MULE: (
        Step.FACTS,
        Step.FLOW,
        Step.IDENTITY,
        Step.CALL_CUSTOMER,
        Step.CALL_AGAIN,
        Step.HOLDER,
        Step.BALANCE,
        Step.POLICE,
    ),
    ReasonCode.OTHER_FRAUD: GENERAL,
}


def steps_for(typology: str) -> tuple[str, ...]:
    """The steps of a typology, in their order; the general ones while it is not known."""
    return CHECKLISTS.get(typology, GENERAL)
