"""What a bank's node may call, under ``/api/v1/coordinator/``.

Every call but ``join`` is signed (``envelope.sign_request``). Bodies and answers are JSON in the
wire form of ``consortium.protocol``; uploads are frames (``envelope.frame``). Errors are
``{"code", "message", "fields"}``: 401 unknown or wrongly signed, 403 suspended, 404 not this
bank's or not there, 409 contradicts what is recorded, 410 too late, 413 too large, 422 not right.
Every POST may be repeated: the same message gives the same answer.

    POST join                             Signed JoinRequest → Signed JoinAnswer
    GET  next                             → NextDuties
    GET  tasks                            → [{task, name, purpose, roster_version}]
    GET  tasks/<id>/roster                → [SignedRoster …]  valid versions from 1
    GET  tasks/<id>/roster/<version>      → Roster  valid or proposed
    POST tasks/<id>/roster/<version>/signature   Signed RosterSignature → {version, state}
    GET  tasks/<id>/agreement             → {task, name, purpose, protocol, model, recipe, clip,
                                             weight_cap, first_step, metric_values, banks, key_bits,
                                             next_run_at}: what a run would ask for
    GET  tasks/<id>/terms                 → {recipe, terms, votes: [Signed TermsVote …]}
    POST tasks/<id>/terms                 Signed TermsVote → the same
    POST tasks/<id>/epochs                {epoch: Signed Epoch, biprimality: hex,
                                           shares: {bank: hex}} → {epoch, state}
    GET  tasks/<id>/epoch                 → as epochs/<id>, of the newest roster
    GET  epochs/<id>                      → {signatures: [Signed Epoch … dealer first], state}
    GET  epochs/<id>/share                → {biprimality: hex, share: hex sealed to the caller}
    POST epochs/<id>/signature            Signed Epoch → {epoch, state}
    GET  runs/<id>                        → {run, task, state, candidate, version_state, rounds:
                                             [{round, number, attempt, step, state, phase,
                                               manifest, result}]}
    GET  rounds/<id>/manifest             → Signed Manifest
    POST rounds/<id>/submission           frame(Signed SubmissionHeader, ciphertexts, proof)
                                          → Signed Receipt; 201, or 200 for the same again
    GET  rounds/<id>/freeze               → Signed FreezeProposal
    POST rounds/<id>/freeze/signature     Signed FreezeSignature → {state, phase}
    GET  rounds/<id>/certificate          → FreezeCertificate
    GET  rounds/<id>/submissions/<bank>   → the bank's frame as it was sent, while it is kept
    GET  rounds/<id>/aggregate            → the sum's ciphertexts as the centre added them
    POST rounds/<id>/partials             frame(Signed PartialHeader, box, …) → {state, phase}
    GET  rounds/<id>/partials             → [{header: Signed PartialHeader, box: hex}]
    POST rounds/<id>/derived              Signed DerivedResult → {state, phase}
    POST runs/<id>/vote                   Signed ModelVote → {version_state}
    GET  runs/<id>/offer                  → Offer  what the members agreed on before the caller came
    POST gifts                            Signed GiftRequest → {request: hash}
    GET  gifts                            → [Signed GiftRequest …]  that wait for the caller
    POST gifts/<request>                  frame(Signed Gift, box) → Signed GiftReceipt
    GET  gifts/<request>                  → frame(Signed Gift, box), or nothing yet
    POST gifts/<request>/verdict          Signed GiftVerdict → {accepted}
    GET  log?after=N                      → {entries: [LogEntry … up to 1000], head: CosignedHead}
                                             entries with index ≥ N
    GET  log/head                         → CosignedHead of the newest head, or null
    GET  log/inclusion?index=I&size=N     → {entry, proof: [hex …]}
    GET  log/consistency?old=M&new=N      → {proof: [hex …]}
    POST log/cosignature                  Signed HeadCosignature → {size, cosignatures}
"""
