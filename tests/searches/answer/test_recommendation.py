import json
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tf_finetune.errors import UserError
from tf_finetune.results.recommendation import Loss
from tf_finetune.results.trial import Cell, Place, Predictions, TrialResult
from tf_finetune.searches.answer.comparison import compare_all
from tf_finetune.searches.answer.depth_evidence import (
    CellEvidence,
    DepthEvidence,
    LeaningResamples,
    Price,
)
from tf_finetune.searches.answer.recommendation import recommend
from tf_finetune.tasks.classes import Classes
from tf_finetune.tasks.values import Values

LABELS = Classes(("no", "yes"))


def answer(trials, num_layers=6, **options):
    return recommend(trials, LABELS, "accuracy", True, num_layers=num_layers, **options)


def right(n, *wrong):
    """Which of n examples are right: all but those in the ranges `wrong`."""
    pattern = np.ones(n, bool)
    for first, last in wrong:
        pattern[first:last] = False
    return pattern


def test_equal_depths_recommend_the_cheapest(trial_of):
    # Each depth is wrong on 20 other examples of 200.
    found = answer(
        [trial_of(depth, right(200, (20 * depth, 20 * depth + 20))) for depth in (0, 2, 4)]
    )
    assert found.recommended_place.depth == 4
    assert not any(pair.separated for pair in found.comparisons)


def test_a_clearly_better_depth_is_recommended_at_any_price(trial_of):
    found = answer([trial_of(0, right(200, (0, 10))), trial_of(4, right(200, (0, 60)))])
    assert found.recommended == found.best == found.acceptable == found.at(0)
    pair = found.at(4).to_best
    assert pair.separated
    assert pair.difference == pytest.approx(0.25)
    assert pair.examples_needed is pair.seeds_needed is None


def test_costs_are_in_units_of_the_whole_encoder_and_not_of_a_part_of_it(trial_of):
    part = [trial_of(d, right(200), extra=(("encoder.layers", d),)) for d in (1, 2)]
    whole = [trial_of(depth, right(200)) for depth in (3, 6)]

    assert answer([*part, *whole]).reference_place.depth == 3
    assert answer(part).reference_place.depth == 2


@pytest.mark.parametrize(
    ("rule", "depth"), [("one_standard_error", 4), ("best", 0), ("non_inferior", 0)]
)
def test_the_rule_decides_between_depths_that_are_not_told_apart(trial_of, rule, depth):
    # 3 of 200 more are wrong, 9 in all differ.
    trials = [
        trial_of(0, right(200, (0, 50))),
        trial_of(4, right(200, (0, 47), (50, 56))),
    ]
    found = answer(trials, rule=rule)

    assert found.rule == rule
    assert found.recommended_place.depth == depth
    assert (found.loss is None) == (depth == 0)


def test_a_rule_of_non_inferiority_takes_what_is_shown_to_lose_little(trial_of):
    # The same 100 of 2,000 are wrong, and two more.
    trials = [trial_of(0, right(2000, (0, 100))), trial_of(4, right(2000, (0, 102)))]

    assert answer(trials, rule="non_inferior").recommended_place.depth == 4
    assert answer(trials, rule="non_inferior", tolerance=0.001).recommended_place.depth == 0


def test_the_loss_has_the_interval_of_the_paired_difference(trial_of):
    # 56 and 50 of 200 are wrong: 6 that only the cheaper one has wrong, none the other way.
    trials = [trial_of(0, right(200, (0, 50))), trial_of(4, right(200, (0, 56)))]
    pair = answer(trials).at(4).to_best

    assert pair.difference == pytest.approx(0.03)
    # Clopper and Pearson's interval of 6 of 200 is 0.011 to 0.064; differences lean both ways.
    assert -0.002 < pair.low < 0.015
    assert 0.05 < pair.high < 0.075
    assert pair.low < pair.difference < pair.at_most < pair.high


def test_after_a_race_loss_and_probability_are_those_of_its_draws(trial_of):
    class Race:
        has_told_all = True

        def chance_right(self, cell):
            return {0: 0.99, 4: 0.96, 6: 0.5}[cell.frozen_depth]

        def is_right(self, cell):
            return self.chance_right(cell) >= 0.95

        def loss(self, cell, best, confidence):
            assert (cell.frozen_depth, best.frozen_depth, confidence) == (4, 0, 0.95)
            return Loss(0.002, -0.005, 0.009)

    trials = [
        trial_of(depth, right(200, (0, wrong))) for depth, wrong in ((0, 50), (4, 53), (6, 54))
    ]
    found = answer(trials, rule="non_inferior", race=Race())

    assert found.recommended_place.depth == found.acceptable_place.depth == 4
    assert found.chance_right == 0.96
    assert found.has_told_all
    assert found.loss == Loss(0.002, -0.005, 0.009)


def test_one_standard_error_is_that_of_the_paired_difference(trial_of):
    # 6 of 200 more are wrong, and none fewer: 0.030 with a standard error of 0.014, although
    # each of the two accuracies has one of 0.03. Bonett and Price count 8 that differ in 202.
    found = answer([trial_of(0, right(200, (0, 50))), trial_of(4, right(200, (0, 56)))])
    pair = found.at(4).to_best
    expected = np.sqrt((8 / 202 - (6 / 202) ** 2) / 202)
    assert pair.difference == pytest.approx(0.03)
    assert pair.standard_error == pytest.approx(expected, rel=0.05)
    assert pair.p_value == pytest.approx(stats.binomtest(6, 6).pvalue, rel=0.3)  # McNemar's
    assert found.at(0).standard_error > 0.03
    assert found.recommended_place.depth == 0


def test_costs_that_differ_by_noise_are_decided_by_the_parameters(trial_of):
    pattern = right(100, (0, 10))
    found = answer([trial_of(4, pattern, seconds=5.0), trial_of(5, pattern, seconds=5.2)])
    assert found.recommended_place.depth == 5
    found = answer([trial_of(4, pattern, seconds=5.0), trial_of(5, pattern, seconds=5.3)])
    assert found.recommended_place.depth == 4


def test_costs_are_relative_to_the_least_frozen_depth(trial_of):
    pattern = right(100, (0, 10))
    found = answer(
        [
            trial_of(0, pattern, seconds=34.0, peak_memory_bytes=4000, step_flops=9e9),
            trial_of(4, pattern, seconds=9.0, peak_memory_bytes=1000, step_flops=3e9),
            trial_of(4, pattern, seconds=10.0, peak_memory_bytes=3000, step_flops=3e9, seed=1),
            trial_of(4, pattern, seconds=90.0, peak_memory_bytes=1000, step_flops=3e9, seed=2),
            trial_of(6, pattern, seconds=1.0),
        ]
    )
    four, six = found.at(4), found.at(6)
    assert four.seconds_per_epoch == 10.0  # the median
    # Of memory the smallest: a process keeps what larger trials took.
    assert (four.relative_time, four.relative_memory) == (10.0 / 34.0, 0.25)
    assert four.relative_flops == pytest.approx(1 / 3)
    assert six.relative_memory is six.relative_flops is None
    assert found.reference_place.depth == 0


def test_what_an_answer_takes_is_told_where_layers_are_left_out(trial_of):
    pattern = right(100, (0, 10))
    whole = trial_of(0, pattern, answer_flops=8e9)
    head = trial_of(4, pattern, rate=None, extra=(("encoder.layers", 4),), answer_flops=4e9)

    found = answer([whole, head])

    assert (found.at(0).relative_answer, found.at(4).relative_answer) == (1.0, 0.5)
    assert found.answers_differ and not answer([whole]).answers_differ
    assert "answering a text with 50% of the work of all 6 layers" in found.answer


def test_each_depth_shows_its_best_rate_and_whether_that_is_at_an_edge(trial_of, failed_trial):
    good, poor = right(100, (0, 5)), right(100, (0, 50))
    found = answer(
        [
            *(trial_of(0, p, rate=r) for r, p in ((1e-5, poor), (3e-5, good), (1e-4, poor))),
            *(trial_of(2, p, rate=r) for r, p in ((1e-5, good), (3e-5, poor))),
            *(trial_of(4, p, rate=r) for r, p in ((1e-5, poor), (3e-5, good))),
            *(trial_of(5, p, rate=r) for r, p in ((1e-5, poor), (3e-5, good))),
            failed_trial(5, rate=1e-4),
            trial_of(6, good, rate=1e-3),
        ]
    )
    edges = {result.depth: result.rate_edge for result in found.depths}
    assert edges == {0: None, 2: "lowest", 4: "highest", 5: None, 6: "only"}
    assert found.at(0).cell.learning_rate == 3e-5
    assert (found.at(0).num_cells, found.at(6).num_cells) == (3, 1)


def test_picking_among_equal_cells_lowers_the_score(trial_of):
    patterns = [right(100, (10 * index, 10 * index + 10)) for index in range(5)]
    trials = [trial_of(0, p, rate=1e-5 * (i + 1)) for i, p in enumerate(patterns)]
    result = answer(trials).at(0)
    assert result.measured_score == 0.9
    assert result.score == pytest.approx(0.9 - result.optimism)
    assert 0.02 < result.optimism < 0.06
    assert result.low < result.score < result.high


def test_the_chance_of_seeds_is_part_of_the_optimism(trial_of):
    # Two rates that answer alike: 0.9 with one seed and 0.7 with the other. The examples tell
    # nothing about the picking; the mean over two seeds varies by 0.1 from chance alone.
    patterns = [right(1000, (0, 100)), right(1000, (0, 300))]
    trials = [
        trial_of(0, pattern, rate=rate, seed=seed)
        for rate in (1e-5, 1e-4)
        for seed, pattern in enumerate(patterns)
    ]
    # The larger of two normal values is 0.56 standard deviations above their mean.
    assert answer(trials).at(0).optimism == pytest.approx(0.056, rel=0.15)


def test_a_lead_is_less_what_it_owes_to_picking_and_more_what_the_other_does():
    rng = np.random.default_rng(0)
    weights = rng.multinomial(60, np.full(60, 1 / 60), size=50) / 60
    depths = [simulated_depth(rng, d, 0.0, np.zeros(60), 1, weights) for d in (0, 4)]
    lead = depths[0].best.scores[0] - depths[1].best.scores[0]
    picked = [replace(depths[0], optimism=0.05), replace(depths[1], optimism=0.02)]
    plain, corrected = (compare_all(pair, 0.95)[0] for pair in (depths, picked))
    assert plain.difference == pytest.approx(lead)
    assert corrected.difference == pytest.approx(lead - 0.05 + 0.02)
    assert corrected.at_most == pytest.approx(plain.at_most - 0.05 + 0.02)


def test_a_price_is_that_of_cells_with_the_best_cells_options(trial_of):
    good, poor = right(100, (0, 5)), right(100, (0, 40))
    small, large = {"training.batch_size": 16}, {"training.batch_size": 64}
    trials = [
        trial_of(2, good, rate=1e-4, extra=small, seconds=10.0, peak_memory_bytes=900),
        trial_of(2, poor, rate=1e-3, extra=small, seconds=12.0, peak_memory_bytes=950),
        *(
            trial_of(2, poor, rate=rate, extra=large, seconds=2.0, peak_memory_bytes=100)
            for rate in (1e-5, 1e-4, 1e-3)
        ),
    ]
    result = answer(trials).at(2)
    assert (result.seconds_per_epoch, result.peak_memory_bytes) == (11.0, 900)


def test_seeds_are_part_of_the_interval(trial_of):
    # Two seeds that differ by 0.2 on 1,000 examples: examples explain 0.02 of it.
    patterns = [right(1000, (0, 100)), right(1000, (0, 300))]
    both = answer([trial_of(0, p, seed=s) for s, p in enumerate(patterns)]).at(0)
    alone = answer([trial_of(0, patterns[0])]).at(0)
    assert both.seed_deviation == pytest.approx(0.2 / np.sqrt(2), rel=0.05)
    assert both.standard_error == pytest.approx(0.1, rel=0.05)
    assert both.high == 1.0  # no accuracy is above
    assert alone.seed_deviation is None
    assert alone.standard_error == pytest.approx(np.sqrt(0.9 * 0.1 / 1000), rel=0.1)


def test_depths_are_compared_on_the_seeds_that_both_have(trial_of):
    found = answer(
        [
            *(trial_of(0, right(200, (0, 20 + seed)), seed=seed) for seed in (0, 1, 2)),
            *(trial_of(4, right(200, (0, 30 + seed)), seed=seed) for seed in (1, 2, 7)),
        ]
    )
    pair = found.at(4).to_best
    assert pair.seeds == (1, 2)
    assert pair.difference == pytest.approx(0.05)
    assert any(
        "was compared with that of depth 4 on seeds 1 and 2 alone" in note
        for note in list(found.notes)
    )


def test_depths_that_share_no_seed_are_compared_on_the_examples(trial_of):
    found = answer(
        [trial_of(0, right(200, (0, 20)), seed=0), trial_of(4, right(200, (0, 30)), seed=1)]
    )
    pair = found.at(4).to_best
    assert not pair.seeds_are_paired
    assert pair.seeds_needed is None
    assert pair.difference == pytest.approx(0.05)
    assert any("share no seed" in note for note in list(found.notes))


def test_failed_trials_are_left_out(trial_of, failed_trial):
    fine, better = right(100, (0, 20)), right(100, (0, 10))
    found = answer(
        [
            trial_of(0, better, rate=1e-3, seed=0),
            failed_trial(0, rate=1e-3, seed=1),
            trial_of(0, fine, rate=1e-4, seed=0),
            trial_of(0, fine, rate=1e-4, seed=1, score=float("nan"), epochs=1),
            trial_of(0, fine, rate=1e-4, seed=1, epochs=1),
            failed_trial(4),
        ]
    )
    # A rate at which a seed diverges is not a good one, whatever the other seed scored.
    assert found.best.cell.learning_rate == 1e-4
    assert found.best.seeds == (0, 1)
    assert found.places_without_result == (Place(4),)
    assert found.failed == (
        "depth=0 learning_rate=1e-3 seed=1: the loss is not a number",
        "depth=4 learning_rate=3e-4 seed=0: the loss is not a number",
    )


def test_the_longest_trial_of_a_cell_and_seed_counts(trial_of):
    short, long = right(100, (0, 10)), right(100, (0, 20))
    found = answer([trial_of(0, long, epochs=9), trial_of(0, short, epochs=3)])
    assert found.best.score == 0.8


def test_rounding_does_not_break_a_tie(trial_of):
    # Mean over the seeds: (0.1 + 0.2 + 0.3) / 3 and 0.2; in floating point they differ.
    one = [trial_of(0, right(10, (n, 10)), seed=n) for n in (1, 2, 3)]
    other = [trial_of(4, right(10, (n, 10)), seed=4 - n) for n in (1, 2, 3)]
    found = answer(one + other)
    assert found.at(0).score == pytest.approx(0.2)
    assert found.comparisons[0].difference == 0.0
    assert found.recommended_place.depth == 4


def test_perfect_cells_have_an_interval_and_differ_by_at_most_a_share_nobody_saw(trial_of):
    perfect = right(30)
    found = answer([trial_of(0, perfect), trial_of(2, perfect), trial_of(4, ~perfect)])
    assert found.recommended_place.depth == 2
    # Clopper and Pearson's interval of 30 of 30.
    assert (found.best.low, found.best.high) == pytest.approx((0.884, 1.0), abs=0.003)
    assert found.at(4).high == pytest.approx(0.116, abs=0.003)
    pairs = {(pair.better.depth, pair.worse.depth): pair for pair in found.comparisons}
    assert pairs[2, 0].p_value == 1.0
    assert pairs[2, 0].standard_error == pytest.approx(np.sqrt(2) / 32, rel=0.1)
    assert pairs[2, 0].at_most == pytest.approx(1 - 0.05 ** (1 / 30), abs=0.003)
    assert pairs[2, 4].p_value < 1e-6
    assert found.acceptable_place.depth == 2  # the best itself: no other is shown to lose little


FULL, BIASES = (("method", "full"),), (("method", "biases"),)


def test_depths_are_compared_within_a_method_and_the_methods_by_their_best(trial_of):
    half = right(200, (0, 20))
    trials = [trial_of(d, right(200, (0, 10 + d)), extra=FULL, seconds=9.0) for d in (3, 4, 5)]
    trials += [
        trial_of(d, half, extra=BIASES, seconds=d, trainable_parameters=10) for d in (3, 4, 5)
    ]

    found = answer(trials)

    assert [row.place for row in found.depths[:2]] == [Place(3, "biases"), Place(3, "full")]
    assert found.best_place == Place(3, "full")
    compared = {(pair.better, pair.worse) for pair in found.comparisons}
    within = {(4, 5), (3, 4), (3, 5)}
    assert compared == {
        *((Place(a, "full"), Place(b, "full")) for a, b in within),
        *((Place(a, "biases"), Place(b, "biases")) for a, b in within),
        # The best of all with every one, and so with the best of the other method.
        *((Place(3, "full"), Place(d, "biases")) for d in (3, 4, 5)),
    }
    assert found.reference_place == Place(3, "full")  # it trains most of what is least frozen


def test_the_cheapest_within_one_standard_error_of_all_methods_is_recommended(trial_of):
    trials = [
        trial_of(4, right(200, (0, 10)), extra=FULL, seconds=9.0, peak_memory_bytes=2**30),
        trial_of(4, right(200, (5, 16)), extra=BIASES, seconds=4.0, peak_memory_bytes=2**29),
    ]

    found = answer(trials)
    value = json.loads(json.dumps(found.to_dict()))

    assert (found.best_place, found.recommended_place) == (Place(4, "full"), Place(4, "biases"))
    assert found.answer.startswith(
        "Train biases on layers 4 and 5 (4 of 6 frozen) at learning rate 3e-4: accuracy 0.945 "
    )
    assert "below the best (all weights on layers 4 and 5, 0.950; 95% interval" in found.answer
    assert found.answer.endswith("2.2x cheaper per epoch than the best with 50% of its memory.")
    assert (value["recommended_depth"], value["recommended_method"]) == (4, "biases")
    assert value["depths"][1]["method"] == "full"
    assert value["comparisons"][0]["worse_method"] == "biases"
    alone = json.loads(json.dumps(answer([trial_of(4, right(200))]).to_dict()))
    assert not any("method" in name for name in [*alone, *alone["depths"][0]])


@pytest.mark.parametrize("wrong, within", [(1, True), (2, False)])
def test_two_more_of_thirty_are_beyond_one_standard_error_but_may_be_chance(
    trial_of, wrong, within
):
    found = answer([trial_of(0, right(30)), trial_of(4, right(30, (0, wrong)))])
    pair = found.at(4).to_best
    assert pair.within_one_standard_error == within
    assert not pair.separated
    # Between McNemar's exact test and its mid-p version.
    exact = stats.binomtest(wrong, wrong).pvalue
    assert exact / 2 < pair.p_value < exact


@pytest.mark.parametrize("n", [2, 3])
def test_hardly_any_examples_tell_hardly_anything(trial_of, n):
    found = answer([trial_of(0, right(n)), trial_of(4, right(n)), trial_of(6, ~right(n))])
    assert found.recommended_place.depth == 4
    assert not any(pair.separated for pair in found.comparisons)
    assert found.best.low < 0.4


def test_equal_scores_are_decided_by_the_validation_loss_and_then_by_the_price(trial_of):
    def sure(depth, rate, scale):
        trial = trial_of(depth, right(30), rate=rate)
        targets, logits = trial.predictions
        return replace(trial, predictions=Predictions(targets, scale * logits))

    trials = [sure(0, 1e-5, 1.0), sure(0, 1e-4, 3.0), sure(0, 1e-3, 2.0), sure(4, 1e-3, 2.5)]
    found = answer(trials)
    assert found.at(0).cell.learning_rate == 1e-4
    assert found.best_place.depth == 0
    assert found.best.validation_loss < found.at(4).validation_loss
    assert found.recommended_place.depth == 4  # within one standard error, and cheaper
    assert answer([*trials[:1], sure(4, 1e-3, 1.0)]).best_place.depth == 4


def test_no_rate_beyond_is_hinted_at_where_rates_are_not_told_apart(trial_of):
    def edge(*wrong, n=30):
        rates = (1e-5, 1e-4, 1e-3)
        trials = (trial_of(2, right(n, (0, w)), rate=r) for r, w in zip(rates, wrong, strict=True))
        found = answer(trials).at(2)
        return found.rate_edge if found.rate_told_apart else None

    assert edge(0, 0, 0) is edge(3, 0, 0) is edge(0, 1, 3) is None
    assert edge(0, 20, 25) == "lowest"
    assert edge(25, 20, 0) == "highest"
    assert edge(0, 1, 20) is None  # a rate inside does as well
    assert edge(0, 20, 0) is None  # so does one at the other end


def test_models_that_answer_alike_are_not_separated_by_the_optimism_of_picking(trial_of):
    # Two equally good rates at depth 0 and one at depth 3, whose model answers like the first.
    alike = right(40, (0, 3))
    trials = [
        trial_of(0, alike, rate=1e-5),
        trial_of(0, right(40, (4, 7)), rate=1e-4),
        trial_of(3, alike, rate=1e-5),
    ]
    comparison = answer(trials).comparisons[0]
    assert not comparison.separated
    assert comparison.adjusted_p_value == 1.0


def test_the_acceptable_depth_is_shown_to_lose_less_than_the_tolerance(trial_of):
    # 3 of 1,000 worse, none better: a share of 3 in 1,000 is at most 0.0077 (one-sided 95 %).
    trials = [trial_of(0, right(1000, (0, 100))), trial_of(4, right(1000, (0, 103)))]
    assert answer(trials).recommended_place.depth == 0
    assert answer(trials).at(4).to_best.at_most == pytest.approx(0.0077, abs=0.0004)
    assert answer(trials).acceptable_place.depth == 4
    assert answer(trials, tolerance=0.005).acceptable_place.depth == 0


def test_all_pairs_are_corrected_together(trial_of):
    found = answer([trial_of(d, right(300, (0, 30 + 6 * d))) for d in (0, 1, 2, 3)])
    expected = multipletests([pair.p_value for pair in found.comparisons], method="holm")[1]
    assert [pair.adjusted_p_value for pair in found.comparisons] == pytest.approx(expected)
    assert len(found.comparisons) == 6


@pytest.mark.parametrize("metric", ["spearman", "pearson", "mse", "loss"])
def test_a_regression_is_compared_by_its_own_score(metric):
    rng = np.random.default_rng(0)
    targets = rng.normal(size=300).astype(np.float32)
    labels = Values()
    noise = {0: 0.3, 2: 0.31, 4: 1.5}
    trials, scores = [], {}
    for depth, size in noise.items():
        predictions = Predictions(targets, (targets + size * rng.normal(size=300))[:, None])
        scores[depth] = labels.score(*predictions)[metric]
        trials.append(
            TrialResult(
                cell=Cell(depth, 1e-4),
                seed=0,
                status="completed",
                score=scores[depth],
                trainable_parameters=10 - depth,
                seconds_per_epoch=10.0 - depth,
                predictions=lambda predictions=predictions: predictions,
            )
        )
    higher = metric in ("spearman", "pearson")
    found = recommend(trials, labels, metric, higher, num_layers=6)
    assert found.best_place.depth == (max if higher else min)(scores, key=scores.get)
    assert found.recommended_place.depth in (0, 2)
    assert found.at(4).to_best.separated
    assert found.at(4).to_best.difference > 0
    for result in found.depths:
        assert result.score == pytest.approx(scores[result.depth])
        assert result.low < result.score < result.high


def test_the_tolerance_of_a_loss_is_relative(trial_of):
    trials = [trial_of(0, right(100, (0, 10))), trial_of(4, right(100, (0, 12)))]
    found = recommend(trials, LABELS, "loss", False, num_layers=6)
    assert found.best_place.depth == 0
    assert found.tolerance == pytest.approx(0.05 * found.best.score)


def test_every_number_is_in_the_json(trial_of, failed_trial):
    trials = [trial_of(d, right(100, (0, 10 + d)), extra={"a.b": [1]}) for d in (0, 4)]
    found = answer([*trials, failed_trial(6)])
    value = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert value["depths"][1]["cell"] == {
        "frozen_depth": 4,
        "learning_rate": 3e-4,
        "extra": {"a.b": [1]},
    }
    assert value["depths"][1]["to_best"]["p_value"] == found.at(4).to_best.p_value
    assert found.sentence == f"{value['answer']} {value['certainty']}"
    assert value["alternatives"] == list(found.alternatives)
    assert value["notes"] == list(found.notes)


def test_the_answer_does_not_depend_on_the_order_of_the_trials(trial_of, failed_trial):
    rng = np.random.default_rng(0)
    trials = [
        trial_of(depth, rng.random(100) < 0.8, rate=rate, seed=seed)
        for depth in (0, 4)
        for rate in (1e-5, 1e-4, 1e-3)
        for seed in (0, 1)
    ]
    trials += [failed_trial(6, seed=0), failed_trial(6, seed=1)]
    assert answer(trials).to_dict() == answer(trials[::-1]).to_dict()
    assert answer(trials).at(0).low != answer(trials, seed=1).at(0).low


def test_nothing_completed_is_said_with_the_reasons(failed_trial):
    with pytest.raises(UserError, match="no trial completed(.|\n)*out of memory"):
        answer([failed_trial(0, reason="out of memory")])
    with pytest.raises(UserError, match="no trial completed(.|\n)*Run the search first"):
        answer([])


def test_one_validation_example_is_too_few(trial_of):
    with pytest.raises(UserError, match="data.validation: received 1 example"):
        answer([trial_of(0, right(1))])


def test_trials_on_different_examples_are_not_compared(trial_of):
    with pytest.raises(ValueError, match="depth=4 .* other examples"):
        answer([trial_of(0, right(10)), trial_of(4, right(11))])


def test_predictions_that_contradict_the_score_are_refused(trial_of):
    broken = Predictions(np.zeros(9, np.int32), np.full((9, 2), np.nan))
    with pytest.raises(ValueError, match="predictions of depth=0 .* not finite"):
        answer([trial_of(0, right(9), predictions=broken)])


def simulated_depth(rng, depth, truth, examples, num_seeds, weights):
    """A depth whose per-example values are normal around `truth`."""
    n = len(examples)
    values = truth + examples + 0.5 * rng.normal(size=n) + 0.5 * rng.normal(size=(num_seeds, n))
    seeds = range(num_seeds)
    resampled = values @ weights.T
    best = CellEvidence(
        cell=Cell(depth, 1e-4),
        num_examples=n,
        scores={seed: float(values[seed].mean()) for seed in seeds},
        losses=dict.fromkeys(seeds, 0.0),
        resampled={seed: resampled[seed] for seed in seeds},
    )
    leaning = LeaningResamples(best.resampled, best.resampled, best.resampled)
    return DepthEvidence(best, leaning, 0.0, Price(1, 1.0, None, None, None), 1, None, False)


def share_with_separation(truths, num_seeds, repetitions=300, n=60):
    rng = np.random.default_rng(0)
    count = 0
    for _ in range(repetitions):
        weights = rng.multinomial(n, np.full(n, 1 / n), size=100) / n
        examples = rng.normal(size=n)
        depths = [
            simulated_depth(rng, depth, truth, examples, num_seeds, weights)
            for depth, truth in enumerate(truths)
        ]
        depths.sort(key=lambda e: -np.mean(list(e.best.scores.values())))
        count += any(pair.separated for pair in compare_all(depths, 0.95))
    return count / repetitions


@pytest.mark.parametrize("num_seeds", [1, 3])
def test_equal_depths_are_seldom_separated(num_seeds):
    # At most 5 % is promised; the standard deviation of 300 repetitions is 1.3 %.
    assert share_with_separation([0.0, 0.0, 0.0], num_seeds) < 0.08


def test_depths_far_apart_are_mostly_separated():
    assert share_with_separation([0.0, 0.0, 0.5], num_seeds=2, repetitions=100) > 0.9


def test_a_search_of_24_trials_is_answered_quickly(trial_of):
    rng = np.random.default_rng(0)
    trials = [
        trial_of(depth, rng.random(872) < 0.9, rate=rate, seed=seed)
        for depth in (0, 2, 4, 6)
        for rate in (1e-5, 1e-4, 1e-3)
        for seed in (0, 1)
    ]
    began = time.process_time()
    answer(trials)
    assert time.process_time() - began < 5.0  # 0.5 s on a quiet core


def test_a_solved_head_counts_with_every_seed_of_the_others(trial_of):
    trained = [
        trial_of(4, right(200, (0, 20 + seed)), seed=seed, seconds=10.0) for seed in (0, 1, 2)
    ]
    solved = trial_of(6, right(200, (0, 40)), rate=None, seconds=1.0)

    found = answer([*trained, solved])

    head, pair = found.at(6), found.comparisons[0]
    assert (head.learning_rate, head.rate_edge, head.seeds) == (None, None, (0, 1, 2))
    assert head.seed_deviation == 0.0
    assert (pair.seeds, pair.seeds_are_paired) == ((0, 1, 2), True)
    assert found.num_trials == 4
    # As the standard error of a share of 200 examples.
    assert head.standard_error == pytest.approx(np.sqrt(0.8 * 0.2 / 199), rel=0.15)


def test_a_solved_head_is_said_in_words(trial_of):
    trials = [trial_of(0, right(200, (0, 20)), seconds=8.0)]
    trials.append(trial_of(6, right(200, (0, 20)), rate=None, seconds=2.0))

    found = answer(trials)

    assert found.answer.startswith("Freeze all 6 layers and solve the head exactly: accuracy 0.900")
    assert found.answer.endswith("4.0x cheaper than full fine-tuning.")
    assert any(
        note.startswith("At depth 6 the head alone trains and is solved") for note in found.notes
    )
    assert "learning rate" in found.certainty or "Only one seed was tried" in found.certainty


def test_a_solved_head_alone_owes_nothing_to_a_seed(trial_of):
    found = answer([trial_of(6, right(200, (0, 20)), rate=None)])

    assert "seed" not in found.certainty
