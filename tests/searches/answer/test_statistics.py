import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from tf_finetune.searches.answer.statistics import SeedEstimate, estimate, holm, selection_optimism


def resampled_means(values, resamples=4000, seed=0):
    """Means of per-example values [seeds, n] on resamples of the examples, [seeds, resamples]."""
    n = values.shape[1]
    rng = np.random.default_rng(seed)
    return values @ (rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n).T


def estimated(values, resamples=4000, seed=0):
    """The estimate of the mean of per-example values [seeds, n]."""
    values = np.atleast_2d(np.asarray(values, np.float64))
    return estimate(values.mean(axis=1), resampled_means(values, resamples, seed), values.shape[1])


def test_one_seed_gives_the_paired_t_test():
    rng = np.random.default_rng(3)
    first = rng.normal(size=80)
    second = first + rng.normal(0.15, 0.5, size=80)
    expected = stats.ttest_rel(first, second)
    found = estimated(first - second)
    assert found.value / found.standard_error == pytest.approx(expected.statistic, rel=0.03)
    assert found.degrees_of_freedom == expected.df
    assert found.p_value() == pytest.approx(expected.pvalue, rel=0.1)
    low, high = expected.confidence_interval(0.9)
    draws = resampled_means((first - second)[None])[0]
    assert found.interval(draws, draws, 0.9) == pytest.approx((low, high), abs=0.008)
    one_sided = stats.ttest_rel(first, second, alternative="less").confidence_interval(0.95)
    assert found.upper_bound(draws, 0.95) == pytest.approx(one_sided.high, abs=0.008)


def test_an_accuracy_gives_nearly_mcnemars_test():
    # 800 examples: 40 that only the first model gets right, 20 that only the second does.
    difference = np.repeat([1, -1, 0], [40, 20, 740])
    expected = mcnemar([[600, 40], [20, 140]], exact=False, correction=False).pvalue
    assert estimated(difference).p_value() == pytest.approx(expected, rel=0.2)


def test_symmetric_differences_give_nearly_wilcoxons_test():
    difference = np.random.default_rng(5).normal(0.2, 1.0, size=150)
    expected = stats.wilcoxon(difference).pvalue
    assert 0.3 < estimated(difference).p_value() / expected < 3.0


def test_many_examples_leave_the_paired_t_test_over_seeds():
    first, second = np.array([0.80, 0.84, 0.81, 0.85]), np.array([0.78, 0.81, 0.80, 0.79])
    constant = np.repeat((first - second)[:, None], 50, axis=1)
    found = estimate(first - second, constant, 1_000_000)
    expected = stats.ttest_rel(first, second)
    assert found.degrees_of_freedom == pytest.approx(3)
    assert found.p_value() == pytest.approx(expected.pvalue)
    mean = np.array([found.value, found.value + 1e-9])  # hardly moved by the examples
    expected_ends = tuple(expected.confidence_interval(0.95))
    assert found.interval(mean, mean, 0.95) == pytest.approx(expected_ends)


def test_seeds_widen_an_interval_that_the_examples_make_one_sided():
    # All right in every resample; one seed of three is 0.02 worse.
    scores, draws = np.array([1.0, 1.0, 0.98]), np.linspace(0.9, 1.0, 1001)
    found = estimate(scores, np.repeat(scores[:, None], 1001, axis=1), 50)
    low, high = found.interval(draws - 0.006, draws, 0.95)
    of_seeds = stats.t.ppf(0.975, 2) * found.standard_error
    assert low == pytest.approx(found.value - np.hypot(found.value - 0.8965, of_seeds), abs=1e-3)
    assert high == pytest.approx(found.value + np.hypot(0.9975 - found.value, of_seeds), abs=1e-3)


def test_the_components_are_those_of_a_two_way_analysis_of_variance():
    rng = np.random.default_rng(0)
    seeds, n = 4, 60
    values = 0.6 * rng.normal(size=(seeds, 1)) + rng.normal(size=n) + rng.normal(size=(seeds, n))
    rows, columns = values.mean(axis=1), values.mean(axis=0)
    residual = values - rows[:, None] - columns + values.mean()
    interaction = np.square(residual).sum() / ((seeds - 1) * (n - 1))
    found = estimated(values, resamples=20_000)
    assert found.interaction_variance == pytest.approx(interaction, rel=0.03)
    assert found.seed_variance == pytest.approx(rows.var(ddof=1) - interaction / n, rel=0.03)
    assert found.example_variance == pytest.approx(
        columns.var(ddof=1) - interaction / seeds, rel=0.05
    )


@pytest.mark.parametrize("num_seeds, seed_sd", [(1, 0.0), (2, 0.0), (2, 0.07), (4, 0.2)])
def test_intervals_cover_the_truth(num_seeds, seed_sd):
    rng = np.random.default_rng(num_seeds)
    covered = 0
    for repetition in range(300):
        examples, interaction = rng.normal(size=60), rng.normal(size=(num_seeds, 60))
        seeds = seed_sd * rng.normal(size=(num_seeds, 1))
        values = seeds + examples + 0.7 * interaction
        found = estimated(values, resamples=200, seed=repetition)
        draws = resampled_means(values, 200, repetition + 1).mean(axis=0)
        low, high = found.interval(draws, draws, 0.95)
        covered += low <= 0.0 <= high
    # 95 % of 300 is 285; the standard deviation of a count is 4.
    assert 273 <= covered <= 296


def test_of_what_never_varies_nothing_is_known():
    same, apart = SeedEstimate(0.0, 1, 9, None, 0.0, None), SeedEstimate(0.1, 1, 9, None, 0.0, None)
    assert same.p_value() == apart.p_value() == 1.0
    constant = np.full(10, 0.1)
    assert apart.interval(constant, constant, 0.95) == (-np.inf, np.inf)
    assert apart.upper_bound(constant, 0.95) == np.inf
    assert same.examples_needed(0.05) is None


def test_rounding_is_no_variance():
    scores = np.array([0.1 + 0.2, 0.3])
    found = estimate(scores, np.repeat(scores[:, None], 50, axis=1), 100)
    assert found.standard_error == 0.0


def test_examples_needed_agree_with_a_power_analysis():
    found = SeedEstimate(0.02, 1, 500, None, 0.09, None)
    expected = TTestPower().solve_power(0.02 / 0.3, alpha=0.05, power=0.8)
    assert found.examples_needed(0.05) == pytest.approx(expected, rel=0.01)
    assert found.seeds_needed(0.05) is None  # one seed does not tell


def test_seeds_needed_agree_with_a_power_analysis():
    found = SeedEstimate(0.02, 2, 500, 0.06**2, 0.0, 0.0)
    expected = TTestPower().solve_power(0.02 / 0.06, alpha=0.05, power=0.8)
    # Student's t needs two more than the normal approximation.
    assert found.seeds_needed(0.05) == pytest.approx(expected, abs=2.5)


def test_needed_numbers_give_the_power_they_promise():
    found = SeedEstimate(0.02, 2, 800, 2e-5, 0.02, 0.02)
    target = 0.02 / (stats.norm.isf(0.005) + stats.norm.ppf(0.8))
    examples, seeds = found.examples_needed(0.01), found.seeds_needed(0.01)
    for design in ((2, examples), (seeds, 800)):
        enough = SeedEstimate(0.02, *design, 2e-5, 0.02, 0.02)
        assert enough.standard_error <= target
    assert SeedEstimate(0.02, 2, examples - 1, 2e-5, 0.02, 0.02).standard_error > target
    assert SeedEstimate(0.02, seeds - 1, 800, 2e-5, 0.02, 0.02).standard_error > target


def test_one_source_of_variance_can_make_the_other_useless():
    assert SeedEstimate(0.01, 3, 100, 0.0, 0.1, 0.1).seeds_needed(0.05) is None
    assert SeedEstimate(0.01, 2, 100_000, 0.01, 0.1, 0.1).examples_needed(0.05) is None


def test_holm_agrees_with_statsmodels():
    p_values = np.array([0.04, 0.001, 0.03, 0.9, 0.012, 0.012])
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_the_best_of_two_equal_cells_is_optimistic():
    means = np.array([0.5, 0.5])
    resampled = np.array([[0.4, 0.6, 0.5], [0.6, 0.4, 0.5]])
    # Picking gains 0.1, 0.1 and 0 in the three resamples.
    assert selection_optimism(means, resampled, 0) == pytest.approx(0.2 / 3)


def test_a_choice_that_was_never_in_doubt_is_not_optimistic():
    resampled = np.array([[0.4, 0.6, 0.5], [0.9, 0.7, 0.8]])
    assert selection_optimism(np.array([0.5, 0.8]), resampled, 1) == pytest.approx(0.0)
    assert selection_optimism(np.array([0.5]), resampled[:1], 0) == 0.0


def test_optimism_is_found_when_cells_are_equal():
    rng = np.random.default_rng(0)
    optimism, found = [], []
    for _ in range(200):
        means = rng.normal(size=4)
        resampled = means[:, None] + rng.normal(size=(4, 100))
        optimism.append(means.max())
        found.append(selection_optimism(means, resampled, int(means.argmax())))
    # The mean of the largest of four is 1.03; more than half of it is found, never more.
    assert 0.5 < np.mean(found) / np.mean(optimism) < 1.0
