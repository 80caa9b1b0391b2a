"""`manage.py benchmark PART`: figures that can be compared from version to version."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from banks.ml.schema import Mapping
from consortium.protocol.errors import Refused


class Command(BaseCommand):
    help = "Measure one part of the product and write the figures as JSON."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        add_aggregation(parts.add_parser("aggregation", help="encrypted sums, against peers"))
        add_detection(parts.add_parser("detection", help="alone, federated, pooled"))
        add_comparison(parts.add_parser("leakage", help="membership inference by LiRA"))
        features = parts.add_parser("features", help="building features, and a further day")
        add_sources(features)
        scoring = parts.add_parser("scoring", help="one transaction, and many")
        scoring.add_argument("--seed", type=int, default=0)
        serving = parts.add_parser("serving", help="the web process with many payments and alerts")
        serving.add_argument("--rows", type=int, default=1_500_000)
        serving.add_argument("--alerts", type=int, default=20_000)
        serving.add_argument("--processes", type=int, default=2, help="of the web")
        for part in parts.choices.values():
            part.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")

    def handle(self, **options: Any) -> None:
        try:
            found = MEASURES[options["part"]](options)
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        text = json.dumps(found, indent=2, ensure_ascii=False)
        if options["json"]:
            options["json"].write_text(text + "\n", encoding="utf-8")
        self.stdout.write(text)


def add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transactions", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--mapping", type=Path, required=True, metavar="FILE")


def add_aggregation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--parameters", type=int, nargs="+", default=[640, 5_000, 50_000])
    parser.add_argument("--banks", type=int, default=5)
    parser.add_argument("--key-bits", type=int, nargs="+", default=[2048, 3072])
    parser.add_argument("--peers", action="store_true", help="other systems, where installed")


def add_detection(parser: argparse.ArgumentParser) -> None:
    add_comparison(parser)
    parser.add_argument("--bucket", type=int, default=24, metavar="HOURS")
    parser.add_argument("--encrypt", action="store_true", help="really encrypt, not only quantise")


def add_comparison(parser: argparse.ArgumentParser) -> None:
    add_sources(parser)
    parser.add_argument("--banks", type=Path, metavar="FILE", help="a table of account → bank")
    parser.add_argument("--train-until", required=True, metavar="DAY")
    parser.add_argument("--validate", required=True, metavar="DAY:DAY")
    parser.add_argument("--test", required=True, metavar="DAY:DAY")
    parser.add_argument("--label-delay", type=int, default=7, metavar="DAYS")
    parser.add_argument("--seed", type=int, default=0)


def aggregation(options: dict[str, Any]) -> dict[str, Any]:
    from consortium.benchmarks import aggregation

    return aggregation.run(
        options["parameters"], options["banks"], options["key_bits"], peers=options["peers"]
    )


def detection(options: dict[str, Any]) -> dict[str, Any]:
    from consortium.benchmarks import detection

    names = ("train_until", "validate", "test", "label_delay", "seed", "encrypt")
    return detection.run(
        options["transactions"],
        mapping_of(options),
        options["banks"],
        bucket_hours=options["bucket"],
        **{name: options[name] for name in names},
    )


def leakage(options: dict[str, Any]) -> dict[str, Any]:
    from consortium.benchmarks import leakage

    names = ("train_until", "validate", "test", "label_delay", "seed")
    chosen = {name: options[name] for name in names}
    return leakage.run(options["transactions"], mapping_of(options), options["banks"], **chosen)


def features(options: dict[str, Any]) -> dict[str, Any]:
    from consortium.benchmarks import features

    return dict(features.run(options["transactions"], mapping_of(options)))


def scoring(options: dict[str, Any]) -> dict[str, Any]:
    from consortium.benchmarks import scoring

    return scoring.run(options["seed"])


def serving(options: dict[str, Any]) -> dict[str, Any]:
    from consortium.benchmarks import serving

    return serving.run(options["rows"], options["alerts"], options["processes"])


def mapping_of(options: dict[str, Any]) -> Mapping:
    return Mapping.from_json(options["mapping"].read_bytes())


MEASURES = {
    "aggregation": aggregation,
    "detection": detection,
    "features": features,
    "leakage": leakage,
    "scoring": scoring,
    "serving": serving,
}
