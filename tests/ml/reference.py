"""The definitions of the features, one payment at a time, with nothing clever."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from banks.ml.features import FeaturePlan

DAY = 86_400_000_000
HOUR = 3_600_000_000
NAN = math.nan


def expected_features(rows: list[dict], index: int, plan: FeaturePlan) -> dict[str, float]:
    """Return every feature of ``rows[index]`` as its definition says, by looking at all rows."""
    row = rows[index]
    units = row["amount"] / plan.amount_unit
    local = local_time(row["time"], plan.zone)
    features = {
        "amount": units,
        "log_amount": signed_log(units),
        "hour": local % DAY / HOUR,
        "weekday": (local // DAY + 3) % 7,
    }
    features |= _account(rows, row, plan)
    features |= _counterparty(rows, row, plan)
    return features


def local_time(time: int, zone: str) -> int:
    moment = datetime.fromtimestamp(time // 1_000_000, ZoneInfo(zone))
    return time + round(moment.utcoffset().total_seconds()) * 1_000_000


def signed_log(units: float) -> float:
    return math.copysign(math.log1p(abs(units)), units)


def known_at(row: dict, plan: FeaturePlan) -> int:
    due = row["time"] + plan.label_delay_days * DAY
    return due if row["label_known_at"] is None else max(due, row["label_known_at"])


def bucket(time: int, plan: FeaturePlan) -> int:
    return local_time(time, plan.zone) // (plan.bucket_hours * HOUR)


def _account(rows: list[dict], row: dict, plan: FeaturePlan) -> dict[str, float]:
    own = [r for r in rows if r["account"] == row["account"]]
    now, unit = row["time"], plan.amount_unit
    past = sorted((r for r in own if r["time"] < now), key=lambda r: (r["time"], r["amount"]))
    a = row["amount"] / unit
    f: dict[str, float] = {}

    def within(days: int) -> list[dict]:
        return [r for r in past if r["time"] >= now - days * DAY]

    for days in (1, 7, 30):
        amounts = [r["amount"] / unit for r in within(days)]
        f[f"account_count_{days}d"] = len(amounts)
        f[f"account_mean_{days}d"] = sum(amounts) / len(amounts) if amounts else NAN
    f["account_max_7d"] = max((r["amount"] / unit for r in within(7)), default=NAN)
    f["hours_since_previous"] = (now - past[-1]["time"]) / HOUR if past else NAN
    f["previous_amount"] = past[-1]["amount"] / unit if past else NAN
    f["account_mean_all"] = sum(r["amount"] for r in past) / unit / len(past) if past else NAN
    month, mean = [r["amount"] / unit for r in within(30)], f["account_mean_30d"]
    f["account_std_30d"] = (
        math.sqrt(sum((x - mean) ** 2 for x in month) / len(month)) if month else NAN
    )
    f["amount_to_mean_30d"] = a / (abs(mean) + 1)
    f["amount_to_mean_7d"] = a / (abs(f["account_mean_7d"]) + 1)
    f["amount_to_mean_all"] = a / (abs(f["account_mean_all"]) + 1)
    f["amount_z_30d"] = (a - mean) / (f["account_std_30d"] + 5)
    f["amount_minus_mean_30d"] = a - mean
    f["amount_to_max_7d"] = a / (abs(f["account_max_7d"]) + 1)
    known = [known_at(r, plan) for r in own if r["label"] == 1 and known_at(r, plan) < now]
    for days in (7, 30):
        f[f"account_known_frauds_{days}d"] = sum(k >= now - days * DAY for k in known)
    f["days_since_account_fraud"] = (
        (now - max(known)) / DAY + plan.label_delay_days if known else NAN
    )
    if plan.first_stage:
        for days in (1, 7, 14):
            f[f"account_risk_{days}d"] = sum(r["first_stage"] for r in within(days))
        f["account_risk_max_14d"] = max((r["first_stage"] for r in within(14)), default=NAN)
    return f if row["account"] is not None else dict.fromkeys(f, NAN)


def _counterparty(rows: list[dict], row: dict, plan: FeaturePlan) -> dict[str, float]:
    own = [r for r in rows if r["counterparty"] == row["counterparty"]]
    k, a_day = bucket(row["time"], plan), 24 // plan.bucket_hours
    f: dict[str, float] = {}
    for days in (1, 7, 30):
        seen = [r for r in own if k - days * a_day <= bucket(r["time"], plan) < k]
        f[f"counterparty_count_{days}d"] = len(seen)
    logs = [signed_log(r["amount"] / plan.amount_unit) for r in seen]
    mean = sum(logs) / len(logs) if logs else NAN
    f["counterparty_log_amount_30d"] = mean
    f["log_amount_minus_counterparty_30d"] = signed_log(row["amount"] / plan.amount_unit) - mean

    cells: dict[int, list[dict]] = {}
    for r in own:
        if r["label"] is not None and bucket(known_at(r, plan), plan) < k:
            cells.setdefault(bucket(known_at(r, plan), plan), []).append(r)
    f |= _rates(cells, k, a_day, plan)
    f |= _runs(cells, k, a_day, plan)
    return f if row["counterparty"] is not None else dict.fromkeys(f, NAN)


def unexplained(rows: list[dict]) -> float:
    return sum((1 - r["first_stage"]) * r["label"] for r in rows)


def _rates(cells: dict, k: int, a_day: int, plan: FeaturePlan) -> dict[str, float]:
    f: dict[str, float] = {}
    for name, days in {"1d": 1, "7d": 7, "30d": 30, "all": 10**6}.items():
        known = [r for b, rows in cells.items() if b >= k - days * a_day for r in rows]
        frauds = sum(r["label"] for r in known)
        weight, prior = len(known) + 3, 3 * plan.fraud_prior
        f[f"counterparty_known_{name}"] = len(known)
        f[f"counterparty_frauds_{name}"] = frauds
        f[f"counterparty_fraud_rate_{name}"] = (frauds + prior) / weight
        if plan.first_stage:
            f[f"counterparty_unexplained_{name}"] = unexplained(known)
            f[f"counterparty_unexplained_rate_{name}"] = (unexplained(known) + prior) / weight
    return f


def _runs(cells: dict, k: int, a_day: int, plan: FeaturePlan) -> dict[str, float]:
    """Walk the buckets from the first: a genuine payment ends a run, the next fraud begins one."""
    genuine = fraud = doubtful = start = bound = None
    frauds = u = 0.0
    for b in sorted(cells):
        in_cell = [r for r in cells[b] if r["label"] == 1]
        if len(in_cell) < len(cells[b]):
            genuine, frauds, start_open = b, 0, False
            u = 0.0
        else:
            start_open = frauds > 0
        if in_cell:
            fraud = b
            if not start_open:
                start = b
            frauds += len(in_cell)
            mixed = len(in_cell) < len(cells[b])
            if plan.first_stage and (not mixed or unexplained(in_cell) > 0.5):
                u += unexplained(in_cell)
            if plan.first_stage and unexplained(in_cell) > 0.5:
                doubtful = b
    is_open = frauds > 0
    bound = genuine if is_open else None

    def days_since(b: int | None) -> float:
        return NAN if b is None else (k - b) / a_day + plan.label_delay_days

    f = {
        "days_since_counterparty_fraud": days_since(fraud),
        "days_since_counterparty_genuine": days_since(genuine),
        "counterparty_run_age": days_since(start if is_open else None),
        "counterparty_run_frauds": frauds,
        "counterparty_run_ended_age": days_since(None if is_open else start),
    }
    if plan.first_stage:
        f |= {
            "days_since_counterparty_unexplained": days_since(doubtful),
            "counterparty_run_unexplained": u if is_open else 0.0,
            "counterparty_run_age_bound": days_since(bound),
        }
    return f
