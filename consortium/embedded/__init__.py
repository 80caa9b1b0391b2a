"""PostgreSQL and Redis for one machine, run from the programs inside Python wheels.

    with Services(Path("var")) as env:          # {"DATABASE_URL": …, "CELERY_BROKER_URL": …}
        …

    python -m consortium.embedded -- COMMAND…   # the same around any command

Only Unix sockets, in a folder that nobody else can enter. The one role that can log in is
`consortium`, which is no superuser: row-level security holds here as on a real server.
Standard library only, no Django.
"""

from consortium.embedded.programs import ServiceError
from consortium.embedded.services import Services, running_services

__all__ = ["ServiceError", "Services", "running_services"]
