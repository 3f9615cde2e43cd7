"""A recommendation in words that somebody who knows no statistics can act on."""

from collections.abc import Sequence
from dataclasses import replace

from tf_finetune.encoders.pooling import words_of
from tf_finetune.methods.table import METHODS
from tf_finetune.results.recommendation import DepthComparison, DepthResult, Recommendation
from tf_finetune.results.tolerance import has_range
from tf_finetune.results.trial import exact_rate
from tf_finetune.search.answer.depth_evidence import EQUAL_COST

_METRIC_NAMES = {
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "mcc": "Matthews correlation",
    "pearson": "Pearson correlation",
    "spearman": "Spearman correlation",
    "mse": "mean squared error",
    "mae": "mean absolute error",
}
# More than this is not a plan that anybody would carry out.
_MANY_EXAMPLES = 1_000_000
_MANY_SEEDS = 1_000
_LONG_RUN = 4  # depths in a row, which are named by the first and the last


def in_words(found: Recommendation) -> Recommendation:
    """The recommendation with its sentences."""
    return replace(
        found,
        answer=answer(found),
        certainty=certainty(found),
        alternatives=tuple(alternatives(found)),
        notes=tuple(notes(found)),
    )


def answer(found: Recommendation) -> str:
    """What to do, what it scores, and at what price."""
    chosen = found.recommended
    clauses = [f"{_setting(found, chosen)}: {_score_with_interval(found, chosen)}"]
    if len(found.depths) == 1:
        clauses.append("the only depth with a result")
    elif chosen is not found.best:
        clauses.append(_against_best(found))
    else:
        clauses.append(f"the best of the {len(found.depths)} depths tried")
    price = _price(found, chosen)
    if price:
        clauses.append(price)
    if chosen.cell.layers_used is not None and chosen.relative_answer is not None:
        work = f"{chosen.relative_answer:.0%} of the work of all {found.num_layers} layers"
        clauses.append(f"answering a text with {work}")
    text = ", ".join(clauses)
    if chosen is found.best and any(
        result.seconds_per_epoch < chosen.seconds_per_epoch / EQUAL_COST for result in found.depths
    ):
        text += _no_cheaper(found)
    return text + "."


def _against_best(found: Recommendation) -> str:
    """What the recommended depth loses against the best one, with its interval."""
    best = f"{_doing(found, found.best_depth)}, {_number(found.best.score)}"
    if found.loss is None:
        raise ValueError("a depth that is not the best has a loss")
    points = has_range(found.metric)
    lost, low, high = (
        f"{100 * value:.1f}" if points else _number(value)
        for value in (found.loss.expected, found.loss.low, found.loss.high)
    )
    side = "below" if found.higher_is_better else "above"
    unit = " points" if points else ""
    interval = f"{100 * found.confidence:.3g}% interval"
    if found.loss.expected <= 0.0:  # all trials together expect less of what scored best
        end = "worse" if found.loss.high > 0.0 else "better"
        between = f"{low.removeprefix('-')}{unit} better to {high.removeprefix('-')} {end}"
        return f"expected to be no worse than the best score ({best}; {interval} {between})"
    return f"{lost}{unit} {side} the best ({best}; {interval} {low} to {high})"


def _no_cheaper(found: Recommendation) -> str:
    if found.rule == "best":
        return ""
    if found.rule == "one_standard_error":
        return "; no cheaper depth comes within one standard error of it"
    return f"; no cheaper depth is shown to lose less than {_number(found.tolerance)}"


def certainty(found: Recommendation) -> str:
    """Which depths the evidence tells apart, and what it would take to tell the others."""
    pairs = [result.to_best for result in found.depths if result.to_best]
    if not pairs:
        text = "With one depth there is nothing to compare."
    else:
        text = _separation(found, pairs) + "."
    trained = [result for result in found.depths if not result.cell.is_solved]
    if trained and all(len(result.seeds) == 1 for result in trained):
        text += " Only one seed was tried, so none of this covers chance in training."
    if found.chance_right is not None:
        text += (
            f" The race gives it a probability of {_percent(found.chance_right)} to be within "
            f"{_number(found.tolerance)} of the best of all that could be tried."
        )
    return text


def alternatives(found: Recommendation) -> list[str]:
    """The best score, and the cheapest depth that surely loses little."""
    best, acceptable = found.best, found.acceptable
    loss = f"{_number(found.tolerance)} of {_metric_name(found)}"
    if acceptable is best:
        cheaper = any(depth.seconds_per_epoch < best.seconds_per_epoch for depth in found.depths)
        text = f"No cheaper depth is shown to lose less than {loss} against the best."
        text = text if cheaper else ""
    else:
        text = (
            f"Cheapest that is shown to lose less than {loss} against the best: "
            f"{_lower_first(_setting(found, acceptable))}, {_number(acceptable.score)}"
        )
        price = _price(found, acceptable)
        text += f", {price}." if price else "."
    line = (
        f"Best score: {_lower_first(_setting(found, best))}, {_score_with_interval(found, best)}."
    )
    return [line, text] if text else [line]


def notes(found: Recommendation) -> list[str]:
    """What to know before acting, a sentence each."""
    lines = [line for result in found.depths if (line := _edge_note(result))]
    lines += filter(None, [_lone_rates_note(found)])
    for depth in found.depths_without_result:
        lines.append(f"Depth {depth} has no completed trial and is left out.")
    if found.failed:
        lines.append(
            f"{len(found.failed)} of {found.num_trials} trials failed; a setting with a failed "
            "trial is chosen only where no setting of its depth is without."
        )
    lines += _seeds_notes(found)
    few = [result.depth for result in found.depths if _seeds_dominate(result)]
    if few:
        lines.append(
            f"Most of the uncertainty at {_depths(few)} comes from so few seeds: trying more "
            "seeds helps most."
        )
    solved = [result.depth for result in found.depths if result.cell.is_solved]
    if solved:
        lines.append(
            f"At {_depths(solved)} the head alone trains and is solved exactly: there is no "
            "learning rate, and every seed gives the same. Its time per epoch is that of the whole "
            "solution, over as many epochs as the others train."
        )
    if found.reference_depth != 0:
        lines.append(
            "Full fine-tuning (depth 0) has no result: times and memory in the table are "
            f"relative to depth {found.reference_depth}."
        )
    optimism = max(result.optimism for result in found.depths)
    if float(_number(optimism)) > 0.0:
        lines.append(
            f"Scores are corrected by up to {_number(optimism)} for having picked each depth's "
            f"best setting on the same {'validation ' if found.folds is None else ''}examples."
        )
    return lines


def _separation(found: Recommendation, pairs: Sequence[DepthComparison]) -> str:
    best = found.best_depth
    separated = [pair for pair in pairs if pair.separated]
    unclear = [pair for pair in pairs if not pair.separated]
    leads = [pair for pair in unclear if pair.difference > 0.0]
    if separated:
        text = (
            f"The evidence shows that depth {best} is better than "
            f"{_depths([pair.worse for pair in separated])} ({_p_value(separated)})"
        )
        if unclear:
            text += f" but not that it is better than {_depths([pair.worse for pair in unclear])}"
    elif leads:
        text = (
            f"The evidence does not separate the depths: depth {best} scores best, but its lead "
            f"over {_depths([pair.worse for pair in unclear])} may be chance"
        )
    else:
        text = (
            "The evidence does not separate the depths: "
            f"{_depths([best, *(pair.worse for pair in unclear)])} score the same"
        )
    if leads:
        # The pair that the recommendation rests on, else the one that is easiest to tell.
        pair = max(leads, key=lambda p: (p.worse == found.recommended_depth, p.difference))
        text += f"; telling {best} and {pair.worse} apart would take {_effort(found, pair)}"
    return text


def _effort(found: Recommendation, pair: DepthComparison) -> str:
    """How many examples or seeds would separate two depths."""
    kind = "validation examples" if found.folds is None else "training examples"
    examples = _examples(pair.examples_needed, found.num_examples, kind)
    if not pair.seeds_are_paired:
        return "seeds that both have"
    if len(pair.seeds) == 1:
        second = "a second seed to see how much training varies by chance"
        return f"{examples}, and {second}" if examples else second
    seeds = _seeds(pair.seeds_needed, len(pair.seeds))
    if examples and seeds:
        return f"{examples} or {seeds}"
    if examples:
        return f"{examples}; more seeds alone would not do"
    if seeds:
        return f"{seeds}; more {kind} alone would not do"
    return f"both more {kind} and more seeds"


def _examples(needed: int | None, now: int, kind: str) -> str:
    if needed is None:
        return ""
    if needed > _MANY_EXAMPLES:
        return f"over a million {kind}"
    return f"about {int(float(f'{needed:.2g}')):,} {kind} ({now:,} now)"


def _seeds(needed: int | None, now: int) -> str:
    if needed is None:
        return ""
    return "over a thousand seeds" if needed > _MANY_SEEDS else f"{needed} seeds ({now} now)"


def _edge_note(result: DepthResult) -> str:
    at_an_edge = result.rate_edge in ("lowest", "highest") and result.rate_told_apart
    if result.cell.learning_rate is None or not at_an_edge:
        return ""
    rate = _rate(result.cell.learning_rate)
    direction = "lower" if result.rate_edge == "lowest" else "higher"
    return (
        f"At depth {result.depth} the best learning rate, {rate}, is the {result.rate_edge} tried; "
        f"a {direction} one may be better."
    )


def _lone_rates_note(found: Recommendation) -> str:
    """Where a single learning rate was tried."""
    lone = {r.depth: r.cell.learning_rate for r in found.depths if r.rate_edge == "only"}
    rates = [rate for rate in lone.values() if rate is not None]
    if len(rates) == 1:
        return f"At {_depths(list(lone))} no learning rate but {_rate(rates[0])} was tried."
    return f"At {_depths(list(lone))} a single learning rate was tried." if rates else ""


def _seeds_notes(found: Recommendation) -> list[str]:
    """Which depths were compared with the best on fewer seeds than they have, or on none."""
    alike: dict[tuple[int, ...], list[int]] = {}
    for result in found.depths:
        pair = result.to_best
        if pair is not None and set(result.seeds) != set(found.best.seeds):
            seeds = pair.seeds if pair.seeds_are_paired else ()
            alike.setdefault(seeds, []).append(result.depth)
    lines = []
    for seeds, depths in alike.items():
        those = f"{'those' if len(depths) > 1 else 'that'} of {_depths(depths)}"
        best = f"The best setting of depth {found.best_depth}"
        plural = "seeds" if len(seeds) > 1 else "seed"
        lines.append(
            f"{best} was compared with {those} on {plural} {_listed(seeds)} alone: there are no "
            "others that both have."
            if seeds
            else f"{best} and {those} share no seed, so their comparison does not cover chance in "
            "training."
        )
    return lines


def _seeds_dominate(result: DepthResult) -> bool:
    if result.seed_deviation is None or len(result.seeds) > 3:
        return False
    return result.seed_deviation**2 / len(result.seeds) > result.standard_error**2 / 2


def _setting(found: Recommendation, result: DepthResult) -> str:
    """What to do, as an instruction: depth, rate and further options."""
    depth, layers, extra = result.depth, found.num_layers, result.extra
    name = extra.pop("method.name", None)
    method = METHODS[name]() if name else None
    used = result.cell.layers_used
    if result.cell.is_solved and used is not None:
        del extra["encoder.layers"]
        action = f"Use the first {used} of {layers} layers as they are and solve the head exactly"
        if used == 1:
            action = f"Use the first of {layers} layers as it is and solve the head exactly"
    elif result.cell.is_solved:
        frozen = "the only layer" if layers == 1 else f"all {layers} layers"
        action = f"Freeze {frozen if depth == layers else 'all but the head'}"
        action += " and solve the head exactly"
    elif depth == 0:
        action = f"Train {method.words} of all layers" if method else "Train all layers"
    elif depth < layers:
        action = f"Freeze {depth} of {layers} layers"
        action += f" and train {method.words} above" if method else ""
    else:
        frozen = "the only layer" if layers == 1 else f"all {layers} layers"
        action = f"Freeze {frozen} (train only {'pooler and' if found.has_pooler else 'the'} head)"
    if "encoder.pooling" in extra:
        action += f" on {words_of(extra.pop('encoder.pooling'))}"
    if result.cell.learning_rate is not None:
        action += f" at learning rate {_rate(result.cell.learning_rate)}"
    return action + "".join(f", {name}={value}" for name, value in extra.items())


def _doing(found: Recommendation, depth: int) -> str:
    """A depth as an activity."""
    used = found.at(depth).cell.layers_used
    if used is not None:
        return "using the first layer alone" if used == 1 else f"using the first {used} alone"
    if depth == 0:
        return "training all layers"
    return f"freezing all {depth}" if depth == found.num_layers else f"freezing {depth}"


def _price(found: Recommendation, result: DepthResult) -> str:
    """Its time against one that a reader knows, or nothing where there is none."""
    against = found.price_against(result)
    if against is None or not result.relative_time or not against.relative_time:
        return ""
    ratio = result.relative_time / against.relative_time
    reference = "full fine-tuning" if against.depth == 0 else _doing(found, against.depth)
    if against.depth == found.best_depth and against.depth > 0:
        reference = "the best"
    # What is solved has no epochs: the ratio is that of all that the two take.
    each = "" if result.cell.is_solved or against.cell.is_solved else " per epoch"
    if ratio > EQUAL_COST:
        return f"{ratio:.2g}x as expensive{each} as {reference}"
    if ratio > 1 / EQUAL_COST:
        return f"as expensive{each} as {reference}"
    if ratio > 1 / 1.5:
        return f"{1 - ratio:.0%} cheaper{each} than {reference}"
    cheaper = 1 / ratio
    return f"{cheaper:{'.1f' if cheaper < 10 else ',.0f'}}x cheaper{each} than {reference}"


def _score_with_interval(found: Recommendation, result: DepthResult) -> str:
    low, high = _number(result.low), _number(result.high)
    interval = f"{100 * found.confidence:.3g}% interval {low} to {high}"
    text = f"{_metric_name(found)} {_number(result.score)}"
    if found.folds is None:
        return f"{text} ({interval})"
    return f"out-of-fold {text} ({interval}, {found.folds} folds)"


def _metric_name(found: Recommendation) -> str:
    return _METRIC_NAMES.get(found.metric, found.metric)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.5g}"


def _percent(probability: float) -> str:
    """In whole percent; what was never drawn is not certain."""
    return f"{min(max(round(100 * probability), 1), 99)} %"


def _rate(learning_rate: float) -> str:
    return exact_rate(float(f"{learning_rate:.3g}"))


def _p_value(pairs: Sequence[DepthComparison]) -> str:
    p_value = max(pair.adjusted_p_value for pair in pairs)
    if p_value < 0.001:
        return "p < 0.001"
    return f"p {'=' if len(pairs) == 1 else 'at most'} {p_value:.2g}"


def _depths(depths: Sequence[int]) -> str:
    return f"{'depths' if len(depths) > 1 else 'depth'} {_listed(_runs(sorted(depths)))}"


def _runs(depths: Sequence[int]) -> list[str]:
    """Ascending depths, long runs of neighbours by their ends."""
    runs: list[list[int]] = []
    for depth in depths:
        if runs and depth == runs[-1][-1] + 1:
            runs[-1].append(depth)
        else:
            runs.append([depth])
    return [
        part
        for run in runs
        for part in (map(str, run) if len(run) < _LONG_RUN else [f"{run[0]} to {run[-1]}"])
    ]


def _listed(parts: Sequence[object]) -> str:
    *first, last = map(str, parts)
    return f"{', '.join(first)} and {last}" if first else last


def _lower_first(text: str) -> str:
    return text[0].lower() + text[1:]
