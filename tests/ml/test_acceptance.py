import numpy as np

from banks.ml.acceptance import checks
from banks.ml.segments import Segment


def window(rows=6000, seed=5):
    generator = np.random.default_rng(seed)
    labels = (generator.random(rows) < 0.06).astype(np.int8)
    logits = generator.normal(size=rows) - 3 + 3 * labels
    return logits, labels, np.array([f"a{n % 900}" for n in range(rows)]), generator


def verdicts(candidate, best, labels, groups, *segments):
    return [one.verdict for one in checks(candidate, best, labels, groups, segments)]


def test_an_equal_candidate_passes_and_noise_does_not_fail_it():
    best, labels, groups, generator = window()
    assert verdicts(best, best, labels, groups) == ["passed"]
    assert verdicts(best + generator.normal(0, 0.1, len(best)), best, labels, groups) == ["passed"]


def test_one_that_is_blind_in_a_segment_fails_there():
    best, labels, groups, generator = window()
    web = generator.random(len(labels)) < 0.2
    blind = np.where(web, generator.normal(size=len(best)) - 3, best)
    found = list(checks(blind, best, labels, groups, [Segment("channel", "web", web)]))
    assert found[1].verdict == "failed"
    assert found[1].name == "web"
    assert found[1].high < 0 < found[1].best


def test_few_frauds_say_nothing():
    best, labels, groups, _ = window()
    few = np.zeros(len(labels), dtype=bool)
    few[np.flatnonzero(labels == 1)[:5]] = True
    assert verdicts(-best, best, labels, groups, Segment("amount", "9", few))[1] == "too_few"
    assert verdicts(best, best, np.full(len(labels), -1), groups) == ["too_few"]
