"""Who may do what at which address: the promise, written down apart from the code that keeps it.

One line an address and method. Of a bank: A analyst, L lead, M model owner, B bank administrator,
R auditor. Of the centre: O operator, C auditor. ``*`` is anyone at all, ``+`` anyone signed in,
``N`` a member bank's node by its signature. Whoever is not named is refused: a stranger as if
there were nothing (404), a colleague by name (403), the anonymous by the way to sign in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TABLE: Final = r"""
GET     *        accounts/2fa/authenticate/
GET     *        accounts/confirm-email/
GET     *        accounts/confirm-email/(?P<key>[-:\w]+)/$
GET     *        accounts/inactive/
GET     *        accounts/login/
GET     *        accounts/login/code/confirm/
GET     *        accounts/logout/
GET     *        accounts/password/reset/
GET     *        accounts/password/reset/done/
GET     *        accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$
GET     *        accounts/password/reset/key/done/
GET     *        accounts/signup/
GET     +        accounts/2fa/
GET     +        accounts/2fa/reauthenticate/
GET     +        accounts/2fa/recovery-codes/
GET     +        accounts/2fa/recovery-codes/download/
GET     +        accounts/2fa/recovery-codes/generate/
GET     +        accounts/2fa/totp/activate/
GET     +        accounts/2fa/totp/deactivate/
GET     +        accounts/email/
GET     +        accounts/password/change/
GET     +        accounts/password/set/
GET     +        accounts/reauthenticate/

GET     *        healthz
GET     *        readyz
GET     *        metrics
GET     *        api/schema/
GET     *        api/docs/
GET     *        guide/
GET     *        guide/measured/
POST    *        i18n/setlang/
POST    *        language/
POST    *        appearance/
GET     *        invitation/<str:token>/
POST    *        invitation/<str:token>/
POST    +        invitation/<str:token>/join/
GET     *        join/
POST    *        join/
GET     *        join/<str:invitation>/
POST    *        join/<str:invitation>/
POST    *        api/v1/invitations/<str:token>/acceptance

GET     +        {home}
GET     +        profile/
POST    +        profile/
POST    +        profile/tokens/
POST    +        profile/tokens/<uuid:token_id>/revoke/
GET     +        notifications/
POST    +        notifications/read/
POST    +        notifications/kinds/
GET     +        notifications/<uuid:notification_id>/
GET     +        api/v1/notifications
POST    +        api/v1/notifications/read
PUT     +        api/v1/notifications/kinds
GET     +        api/v1/me
GET     +        api/v1/tokens
POST    +        api/v1/tokens
DELETE  +        api/v1/tokens/<uuid:token_id>

GET     ALMBR    bank/<slug:bank>/
GET     ALMR     bank/<slug:bank>/alerts/
POST    AL       bank/<slug:bank>/alerts/start/
POST    AL       bank/<slug:bank>/alerts/bulk/
POST    AL       bank/<slug:bank>/alerts/bulk/<uuid:bulk_id>/undo/
POST    ALM      bank/<slug:bank>/alerts/views/save/
GET     ALMR     bank/<slug:bank>/alerts/views/<uuid:view_id>/
POST    ALM      bank/<slug:bank>/alerts/views/<uuid:view_id>/delete/
GET     ALMR     bank/<slug:bank>/alerts/<uuid:alert_id>/
POST    AL       bank/<slug:bank>/alerts/<uuid:alert_id>/decide/
POST    AL       bank/<slug:bank>/alerts/<uuid:alert_id>/claim/
POST    AL       bank/<slug:bank>/alerts/<uuid:alert_id>/release/
POST    AL       bank/<slug:bank>/alerts/<uuid:alert_id>/snooze/
POST    AL       bank/<slug:bank>/alerts/<uuid:alert_id>/undo/
POST    AL       bank/<slug:bank>/alerts/<uuid:alert_id>/comment/
POST    AL       bank/<slug:bank>/alerts/<uuid:alert_id>/reopen/
GET     ALR      bank/<slug:bank>/cases/
GET     ALR      bank/<slug:bank>/cases.csv
GET     AL       bank/<slug:bank>/cases/open/
POST    AL       bank/<slug:bank>/cases/open/
GET     ALR      bank/<slug:bank>/cases/<uuid:case_id>/
GET     ALR      bank/<slug:bank>/cases/<uuid:case_id>/file.pdf
GET     AL       bank/<slug:bank>/cases/<uuid:case_id>/freeze/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/freeze/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/take/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/link/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/unlink/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/typology/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/due/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/note/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/step/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/contact/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/submit/
POST    AL       bank/<slug:bank>/cases/<uuid:case_id>/withdraw/
POST    L        bank/<slug:bank>/cases/<uuid:case_id>/assign/
POST    L        bank/<slug:bank>/cases/<uuid:case_id>/approve/
POST    L        bank/<slug:bank>/cases/<uuid:case_id>/return/
POST    L        bank/<slug:bank>/cases/<uuid:case_id>/reopen/
GET     ALR      bank/<slug:bank>/freezes/<uuid:freeze_id>/
POST    AL       bank/<slug:bank>/freezes/<uuid:freeze_id>/save/
POST    AL       bank/<slug:bank>/freezes/<uuid:freeze_id>/carry-out/
POST    L        bank/<slug:bank>/freezes/<uuid:freeze_id>/approve/
POST    L        bank/<slug:bank>/freezes/<uuid:freeze_id>/return/
POST    L        bank/<slug:bank>/freezes/<uuid:freeze_id>/lift/
GET     ALMR     bank/<slug:bank>/search/
GET     ALR      bank/<slug:bank>/transactions/
GET     ALR      bank/<slug:bank>/transactions/<int:transaction_id>/
POST    AL       bank/<slug:bank>/transactions/<int:transaction_id>/
GET     ALMBR    bank/<slug:bank>/performance/
GET     ALR      bank/<slug:bank>/performance/<int:number>/rows/
GET     ALR      bank/<slug:bank>/performance/<int:number>/rows.csv
POST    LM       bank/<slug:bank>/performance/<int:number>/propose/
POST    LM       bank/<slug:bank>/performance/<int:number>/roll-back/
GET     ALMBR    bank/<slug:bank>/performance/changes/
GET     ALMBR    bank/<slug:bank>/performance/together/
GET     ALMBR    bank/<slug:bank>/performance/month/
GET     ALMBR    bank/<slug:bank>/performance/month.csv
GET     ALR      bank/<slug:bank>/performance/<int:number>/caught/
GET     ALR      bank/<slug:bank>/performance/<int:number>/caught.csv
POST    LM       bank/<slug:bank>/performance/changes/<uuid:change_id>/approve/
POST    LM       bank/<slug:bank>/performance/changes/<uuid:change_id>/return/
POST    LM       bank/<slug:bank>/performance/changes/<uuid:change_id>/withdraw/
GET     ALMBR    bank/<slug:bank>/monitor/
POST    LM       bank/<slug:bank>/monitor/check/
POST    LM       bank/<slug:bank>/monitor/proposals/<uuid:proposal_id>/approve/
POST    LM       bank/<slug:bank>/monitor/proposals/<uuid:proposal_id>/decline/
GET     LMBR     bank/<slug:bank>/data/
POST    MB       bank/<slug:bank>/data/upload/
GET     LMBR     bank/<slug:bank>/data/<uuid:import_id>/
POST    MB       bank/<slug:bank>/data/<uuid:import_id>/confirm/
GET     LMBR     bank/<slug:bank>/data/<uuid:import_id>/progress/
GET     LMBR     bank/<slug:bank>/data/<uuid:import_id>/errors/
POST    MB       bank/<slug:bank>/data/<uuid:import_id>/good-rows/
POST    MB       bank/<slug:bank>/data/<uuid:import_id>/discard/
GET     LMBR     bank/<slug:bank>/labels/
POST    MB       bank/<slug:bank>/labels/upload/
GET     LMBR     bank/<slug:bank>/labels/<uuid:file_id>/
GET     LMBR     bank/<slug:bank>/labels/<uuid:file_id>/errors/
POST    MB       bank/<slug:bank>/labels/<uuid:file_id>/good-rows/
GET     LMBR     bank/<slug:bank>/training/
GET     MBR      bank/<slug:bank>/training/coming/
POST    MB       bank/<slug:bank>/training/coming/<uuid:task>/measure/
POST    M        bank/<slug:bank>/training/start/
GET     LMBR     bank/<slug:bank>/training/<uuid:run_id>/
GET     LMBR     bank/<slug:bank>/training/<uuid:run_id>/progress/
POST    M        bank/<slug:bank>/training/<uuid:run_id>/cancel/
GET     LMBR     bank/<slug:bank>/models/
POST    M        bank/<slug:bank>/models/roll-back/
GET     LMBR     bank/<slug:bank>/models/<int:number>/
POST    M        bank/<slug:bank>/models/<int:number>/use/
POST    M        bank/<slug:bank>/models/<int:number>/retire/
POST    M        bank/<slug:bank>/models/<int:number>/shadow/
POST    M        bank/<slug:bank>/models/<int:number>/unshadow/
GET     LMBR     bank/<slug:bank>/models/<int:number>/card/
GET     LMBR     bank/<slug:bank>/models/<int:number>/card.json
GET     MB       bank/<slug:bank>/models/<int:number>/model.onnx
GET     LMBR     bank/<slug:bank>/settings/
POST    LMB      bank/<slug:bank>/settings/
GET     MBR      bank/<slug:bank>/privacy/
GET     MBR      bank/<slug:bank>/privacy/verify/
GET     MBR      bank/<slug:bank>/privacy/evidence/
GET     MBR      bank/<slug:bank>/privacy/pack.zip
GET     MBR      bank/<slug:bank>/privacy/votes/
GET     BR       bank/<slug:bank>/privacy/access/
GET     BR       bank/<slug:bank>/privacy/access.csv
POST    MB       bank/<slug:bank>/privacy/ledger/
GET     MBR      bank/<slug:bank>/joining/
POST    MB       bank/<slug:bank>/joining/test/
GET     MBR      bank/<slug:bank>/consortium/
POST    B        bank/<slug:bank>/consortium/rosters/<uuid:task>/<int:version>/sign/
POST    B        bank/<slug:bank>/consortium/keys/<uuid:task>/ceremony/
POST    B        bank/<slug:bank>/consortium/keys/<uuid:epoch>/witness/
POST    B        bank/<slug:bank>/consortium/gifts/<int:gift_id>/ask-again/
GET     BR       bank/<slug:bank>/node/
GET     BR       bank/<slug:bank>/people/
GET     LMBR     bank/<slug:bank>/signal/
POST    MB       bank/<slug:bank>/signal/measure/
POST    B        bank/<slug:bank>/signal/<uuid:task>/terms/
POST    B        bank/<slug:bank>/people/
POST    B        bank/<slug:bank>/people/<int:membership_id>/<str:act>/
POST    B        bank/<slug:bank>/people/invitations/<uuid:invitation_id>/withdraw/
GET     BR       bank/<slug:bank>/audit/
GET     BR       bank/<slug:bank>/audit/chain/
GET     BR       bank/<slug:bank>/audit.csv

POST    ALMB     api/v1/banks/<slug:bank>/score
GET     ALMR     api/v1/banks/<slug:bank>/alerts
GET     ALMR     api/v1/banks/<slug:bank>/alerts/facets
POST    AL       api/v1/banks/<slug:bank>/alerts/next
POST    AL       api/v1/banks/<slug:bank>/alerts/bulk
POST    AL       api/v1/banks/<slug:bank>/alerts/bulk/<uuid:bulk_id>/undo
GET     ALMR     api/v1/banks/<slug:bank>/alerts/views
POST    ALM      api/v1/banks/<slug:bank>/alerts/views
DELETE  ALM      api/v1/banks/<slug:bank>/alerts/views/<uuid:view_id>
GET     ALMR     api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>
GET     ALMR     api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>/history
POST    AL       api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>/claim
POST    AL       api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>/release
POST    AL       api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>/snooze
POST    AL       api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>/undo
POST    AL       api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>/comment
POST    AL       api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>/decide
POST    AL       api/v1/banks/<slug:bank>/alerts/<uuid:alert_id>/reopen
GET     ALR      api/v1/banks/<slug:bank>/cases
POST    AL       api/v1/banks/<slug:bank>/cases/open
GET     ALR      api/v1/banks/<slug:bank>/cases/<uuid:case_id>
GET     ALR      api/v1/banks/<slug:bank>/cases/<uuid:case_id>/file
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/take
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/link
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/unlink
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/change
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/note
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/step
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/contact
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/submit
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/withdraw
POST    AL       api/v1/banks/<slug:bank>/cases/<uuid:case_id>/freezes
POST    L        api/v1/banks/<slug:bank>/cases/<uuid:case_id>/assign
POST    L        api/v1/banks/<slug:bank>/cases/<uuid:case_id>/approve
POST    L        api/v1/banks/<slug:bank>/cases/<uuid:case_id>/return
POST    L        api/v1/banks/<slug:bank>/cases/<uuid:case_id>/reopen
GET     ALR      api/v1/banks/<slug:bank>/freezes/<uuid:freeze_id>
POST    AL       api/v1/banks/<slug:bank>/freezes/<uuid:freeze_id>/save
POST    AL       api/v1/banks/<slug:bank>/freezes/<uuid:freeze_id>/submit
POST    AL       api/v1/banks/<slug:bank>/freezes/<uuid:freeze_id>/carry-out
POST    L        api/v1/banks/<slug:bank>/freezes/<uuid:freeze_id>/approve
POST    L        api/v1/banks/<slug:bank>/freezes/<uuid:freeze_id>/return
POST    L        api/v1/banks/<slug:bank>/freezes/<uuid:freeze_id>/lift
GET     ALMR     api/v1/banks/<slug:bank>/search
GET     ALR      api/v1/banks/<slug:bank>/transactions
GET     ALR      api/v1/banks/<slug:bank>/transactions/<int:transaction_id>
POST    AL       api/v1/banks/<slug:bank>/transactions/<int:transaction_id>/label
GET     LMBR     api/v1/banks/<slug:bank>/imports
POST    MB       api/v1/banks/<slug:bank>/imports/upload
GET     LMBR     api/v1/banks/<slug:bank>/imports/<uuid:import_id>
POST    MB       api/v1/banks/<slug:bank>/imports/<uuid:import_id>/good-rows
POST    MB       api/v1/banks/<slug:bank>/imports/<uuid:import_id>/discard
GET     LMBR     api/v1/banks/<slug:bank>/labels
POST    MB       api/v1/banks/<slug:bank>/labels/upload
GET     LMBR     api/v1/banks/<slug:bank>/labels/<uuid:file_id>
POST    MB       api/v1/banks/<slug:bank>/labels/<uuid:file_id>/good-rows
GET     LMBR     api/v1/banks/<slug:bank>/training-runs
GET     MBR      api/v1/banks/<slug:bank>/training-runs/coming
POST    MB       api/v1/banks/<slug:bank>/training-runs/coming/<uuid:task>/measure
POST    M        api/v1/banks/<slug:bank>/training-runs/start
GET     LMBR     api/v1/banks/<slug:bank>/training-runs/<uuid:run_id>
POST    M        api/v1/banks/<slug:bank>/training-runs/<uuid:run_id>/cancel
GET     ALMBR    api/v1/banks/<slug:bank>/performance
GET     ALMBR    api/v1/banks/<slug:bank>/versions
POST    M        api/v1/banks/<slug:bank>/versions/roll-back
GET     ALMBR    api/v1/banks/<slug:bank>/versions/<uuid:version_id>/figures
GET     ALMBR    api/v1/banks/<slug:bank>/versions/<uuid:version_id>/evidence
GET     LMBR     api/v1/banks/<slug:bank>/versions/<uuid:version_id>/card
GET     MB       api/v1/banks/<slug:bank>/versions/<uuid:version_id>/onnx
GET     ALMBR    api/v1/banks/<slug:bank>/versions/<uuid:version_id>/agreement
POST    M        api/v1/banks/<slug:bank>/versions/<uuid:version_id>/shadow
POST    M        api/v1/banks/<slug:bank>/versions/shadow/stop
POST    M        api/v1/banks/<slug:bank>/versions/<uuid:version_id>/use
POST    M        api/v1/banks/<slug:bank>/versions/<uuid:version_id>/retire
GET     ALMBR    api/v1/banks/<slug:bank>/versions/<uuid:version_id>/thresholds
POST    LM       api/v1/banks/<slug:bank>/versions/<uuid:version_id>/threshold
POST    LM       api/v1/banks/<slug:bank>/versions/<uuid:version_id>/threshold/roll-back
GET     ALMBR    api/v1/banks/<slug:bank>/versions/<uuid:version_id>/studio
GET     ALR      api/v1/banks/<slug:bank>/versions/<uuid:version_id>/rows
GET     ALMBR    api/v1/banks/<slug:bank>/performance/month
GET     ALMBR    api/v1/banks/<slug:bank>/threshold-changes
GET     ALR      api/v1/banks/<slug:bank>/versions/<uuid:version_id>/caught
POST    LM       api/v1/banks/<slug:bank>/threshold-changes/<uuid:change_id>/approve
POST    LM       api/v1/banks/<slug:bank>/threshold-changes/<uuid:change_id>/return
POST    LM       api/v1/banks/<slug:bank>/threshold-changes/<uuid:change_id>/withdraw
GET     ALMBR    api/v1/banks/<slug:bank>/monitor
POST    LM       api/v1/banks/<slug:bank>/monitor/check
POST    LM       api/v1/banks/<slug:bank>/monitor/proposals/<uuid:proposal_id>/approve
POST    LM       api/v1/banks/<slug:bank>/monitor/proposals/<uuid:proposal_id>/decline
GET     LMBR     api/v1/banks/<slug:bank>/signal
POST    MB       api/v1/banks/<slug:bank>/signal/measure
POST    B        api/v1/banks/<slug:bank>/signal/<uuid:task>/terms
GET     MBR      api/v1/banks/<slug:bank>/joining
POST    MB       api/v1/banks/<slug:bank>/joining/test
GET     MBR      api/v1/banks/<slug:bank>/membership
POST    B        api/v1/banks/<slug:bank>/membership/rosters/<uuid:task>/<int:version>/sign
POST    B        api/v1/banks/<slug:bank>/membership/keys/<uuid:task>/ceremony
POST    B        api/v1/banks/<slug:bank>/membership/keys/<uuid:epoch>/witness
GET     MBR      api/v1/banks/<slug:bank>/membership/gifts
POST    B        api/v1/banks/<slug:bank>/membership/gifts/<int:gift_id>/ask-again
GET     MBR      api/v1/banks/<slug:bank>/membership/evidence/<uuid:task>
GET     MBR      api/v1/banks/<slug:bank>/sent
GET     BR       api/v1/banks/<slug:bank>/access-log
GET     MBR      api/v1/banks/<slug:bank>/votes
GET     MBR      api/v1/banks/<slug:bank>/evidence-pack
GET     MBR      api/v1/banks/<slug:bank>/destroyed
GET     ALMBR    api/v1/banks/<slug:bank>/samples
GET     ALMBR    api/v1/banks/<slug:bank>/settings
POST    LMB      api/v1/banks/<slug:bank>/settings/change
GET     BR       api/v1/banks/<slug:bank>/node
GET     BR       api/v1/banks/<slug:bank>/people
PATCH   B        api/v1/banks/<slug:bank>/people/<int:membership_id>
DELETE  B        api/v1/banks/<slug:bank>/people/<int:membership_id>
DELETE  B        api/v1/banks/<slug:bank>/people/<int:membership_id>/second-factor
GET     BR       api/v1/banks/<slug:bank>/invitations
POST    B        api/v1/banks/<slug:bank>/invitations
DELETE  B        api/v1/banks/<slug:bank>/invitations/<uuid:invitation_id>
GET     BR       api/v1/banks/<slug:bank>/audit
GET     BR       api/v1/banks/<slug:bank>/audit/chain

GET     OC       centre/
GET     OC       centre/banks/
GET     O        centre/invite/
POST    O        centre/invite/
GET     OC       centre/banks/<slug:slug>/
POST    O        centre/banks/<slug:slug>/invitation/
POST    O        centre/banks/<slug:slug>/compare/
POST    O        centre/banks/<slug:slug>/<slug:act>/
GET     OC       centre/tasks/
GET     O        centre/tasks/new/
POST    O        centre/tasks/new/
GET     OC       centre/tasks/<uuid:task_id>/
POST    O        centre/tasks/<uuid:task_id>/schedule/
POST    O        centre/tasks/<uuid:task_id>/run/
POST    O        centre/tasks/<uuid:task_id>/roster/
POST    O        centre/tasks/<uuid:task_id>/roster/withdraw/
POST    O        centre/tasks/<uuid:task_id>/keys/<uuid:epoch_id>/discard/
POST    O        centre/tasks/<uuid:task_id>/keys/<uuid:epoch_id>/rotate/
GET     OC       centre/runs/
GET     OC       centre/runs/<uuid:run_id>/
GET     OC       centre/runs/<uuid:run_id>/live/
POST    O        centre/runs/<uuid:run_id>/stop/
POST    O        centre/runs/<uuid:run_id>/rounds/<uuid:round_id>/give-up/
POST    O        centre/runs/<uuid:run_id>/rounds/<uuid:round_id>/extend/
GET     OC       centre/operations/
GET     OC       centre/performance/
GET     OC       centre/log/
GET     OC       centre/log/verify/
GET     OC       centre/log/download/
GET     OC       centre/people/
POST    O        centre/people/
POST    O        centre/people/<int:membership_id>/<str:act>/
POST    O        centre/people/invitations/<uuid:invitation_id>/withdraw/
GET     OC       centre/audit/
GET     OC       centre/audit/chain/
GET     OC       centre/audit.csv

GET     OC       api/v1/centre/banks
POST    O        api/v1/centre/banks/invite
POST    O        api/v1/centre/banks/<slug:slug>/invitation
GET     OC       api/v1/centre/banks/<slug:slug>/admission
POST    O        api/v1/centre/banks/<slug:slug>/comparison
POST    O        api/v1/centre/banks/(?P<slug>[-\w]+)/(?P<act>suspend|reinstate|remove)$
GET     OC       api/v1/centre/tasks
POST    O        api/v1/centre/tasks/make
GET     OC       api/v1/centre/tasks/<uuid:task_id>
POST    O        api/v1/centre/tasks/<uuid:task_id>/schedule
POST    O        api/v1/centre/tasks/<uuid:task_id>/roster
POST    O        api/v1/centre/tasks/<uuid:task_id>/roster/withdraw
POST    O        api/v1/centre/tasks/<uuid:task_id>/epochs/<uuid:epoch_id>/discard
POST    O        api/v1/centre/tasks/<uuid:task_id>/epochs/<uuid:epoch_id>/rotate
POST    O        api/v1/centre/tasks/<uuid:task_id>/runs
GET     OC       api/v1/centre/tasks/<uuid:task_id>/published-sums
GET     OC       api/v1/centre/runs
GET     OC       api/v1/centre/runs/<uuid:run_id>
GET     OC       api/v1/centre/runs/<uuid:run_id>/standing
POST    O        api/v1/centre/runs/<uuid:run_id>/stop
POST    O        api/v1/centre/rounds/<uuid:round_id>/give-up
POST    O        api/v1/centre/rounds/<uuid:round_id>/extend
GET     OC       api/v1/centre/operations
GET     OC       api/v1/centre/performance
GET     OC       api/v1/centre/log
GET     OC       api/v1/centre/log/verification
GET     OC       api/v1/centre/people
PATCH   O        api/v1/centre/people/<int:membership_id>
DELETE  O        api/v1/centre/people/<int:membership_id>
DELETE  O        api/v1/centre/people/<int:membership_id>/second-factor
GET     OC       api/v1/centre/invitations
POST    O        api/v1/centre/invitations
DELETE  O        api/v1/centre/invitations/<uuid:invitation_id>
GET     OC       api/v1/centre/audit
GET     OC       api/v1/centre/audit/chain

POST    *        api/v1/coordinator/join
GET     N        api/v1/coordinator/next
GET     N        api/v1/coordinator/tasks
GET     N        api/v1/coordinator/tasks/<uuid:task>/roster
GET     N        api/v1/coordinator/tasks/<uuid:task>/roster/<int:version>
POST    N        api/v1/coordinator/tasks/<uuid:task>/roster/<int:version>/signature
GET     N        api/v1/coordinator/tasks/<uuid:task>/agreement
GET     N        api/v1/coordinator/tasks/<uuid:task>/terms
POST    N        api/v1/coordinator/tasks/<uuid:task>/terms
POST    N        api/v1/coordinator/tasks/<uuid:task>/epochs
GET     N        api/v1/coordinator/tasks/<uuid:task>/epoch
GET     N        api/v1/coordinator/epochs/<uuid:epoch>
GET     N        api/v1/coordinator/epochs/<uuid:epoch>/share
POST    N        api/v1/coordinator/epochs/<uuid:epoch>/signature
GET     N        api/v1/coordinator/runs/<uuid:run>
GET     N        api/v1/coordinator/runs/<uuid:run>/vote
POST    N        api/v1/coordinator/runs/<uuid:run>/vote
GET     N        api/v1/coordinator/runs/<uuid:run>/offer
GET     N        api/v1/coordinator/gifts
POST    N        api/v1/coordinator/gifts
GET     N        api/v1/coordinator/gifts/(?P<digest>[0-9a-f]{64})$
POST    N        api/v1/coordinator/gifts/(?P<digest>[0-9a-f]{64})$
POST    N        api/v1/coordinator/gifts/(?P<digest>[0-9a-f]{64})/verdict$
GET     N        api/v1/coordinator/rounds/<uuid:round_id>/manifest
POST    N        api/v1/coordinator/rounds/<uuid:round_id>/advertisement
GET     N        api/v1/coordinator/rounds/<uuid:round_id>/roll
POST    N        api/v1/coordinator/rounds/<uuid:round_id>/submission
GET     N        api/v1/coordinator/rounds/<uuid:round_id>/submissions/<uuid:of_bank>
GET     N        api/v1/coordinator/rounds/<uuid:round_id>/freeze
POST    N        api/v1/coordinator/rounds/<uuid:round_id>/freeze/signature
GET     N        api/v1/coordinator/rounds/<uuid:round_id>/certificate
GET     N        api/v1/coordinator/rounds/<uuid:round_id>/aggregate
GET     N        api/v1/coordinator/rounds/<uuid:round_id>/partials
POST    N        api/v1/coordinator/rounds/<uuid:round_id>/partials
POST    N        api/v1/coordinator/rounds/<uuid:round_id>/derived
GET     N        api/v1/coordinator/log
GET     N        api/v1/coordinator/log/head
GET     N        api/v1/coordinator/log/inclusion
GET     N        api/v1/coordinator/log/consistency
POST    N        api/v1/coordinator/log/cosignature
"""


@dataclass(frozen=True)
class Rule:
    """One line of the table."""

    method: str
    letters: str
    route: str

    @property
    def place(self) -> str:
        """``bank``, ``centre``, ``node`` or ``open``: whose address it is."""
        if self.letters == "N":
            return "node"
        if self.letters in {"*", "+"}:
            return "open"
        return "bank" if "<slug:bank>" in self.route else "centre"

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/v1/")

    @property
    def names_a_thing(self) -> bool:
        """Whether something stands in the address besides the bank itself."""
        return "<" in self.route.replace("<slug:bank>", "")

    def __str__(self) -> str:
        return f"{self.method} /{self.route}"


def rules() -> list[Rule]:
    found = [Rule(*line.split(maxsplit=2)) for line in TABLE.strip().splitlines() if line]
    return [Rule(r.method, r.letters, r.route.replace("{home}", "")) for r in found]


RULES: Final = rules()
