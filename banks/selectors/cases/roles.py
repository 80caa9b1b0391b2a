"""Who reads cases, who works on them, and who may be the second person."""

from typing import Final

from consortium.accounts.models import Role

READERS: Final = (Role.ANALYST, Role.LEAD, Role.AUDITOR)
WORKERS: Final = (Role.ANALYST, Role.LEAD)
APPROVERS: Final = (Role.LEAD,)
