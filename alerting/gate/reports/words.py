"""The words that all formats share."""

from profiler.gate.records import Changed, Comparison, EndpointVerdict

__all__ = [
    "budget_words", "cost_words", "explained", "function_words", "headline", "measured_words",
    "shown_verdict",
]  # fmt: skip

UNITS = {
    "instructions_simulated": "instructions under callgrind",
    "instructions": "hardware instructions",
    "cpu_ns": "ns of thread CPU time",
}


def headline(comparison: Comparison) -> str:
    """The answer in one sentence."""
    risen = [one for one in comparison.endpoints if one.verdict == "regression"]
    if risen:
        worst = max(risen, key=lambda one: one.rise)
        cause = f": look at {worst.functions[0].name} first" if worst.functions else ""
        more = f" (and {len(risen) - 1} more above their budgets)" if len(risen) > 1 else ""
        return f"{worst.endpoint} costs {worst.rise:.1%} more than before{cause}{more}"
    open_ = [one for one in comparison.endpoints if one.verdict == "unstable"]
    if open_:
        return f"could not be measured: {open_[0].endpoint}: {open_[0].note}"
    if comparison.verdict == "unanswered":
        return "nothing was measured on both sides, so nothing passes"
    accepted = sum(one.verdict == "expected" for one in comparison.endpoints)
    words = f"; {accepted} rose as a commit message announced" if accepted else ""
    return f"no endpoint costs more than its budget allows{words}"


def measured_words(comparison: Comparison) -> str:
    """Unit and noise, so that a number is never without them."""
    layouts = max((one.layouts for one in comparison.endpoints), default=0)
    return (
        f"{UNITS[comparison.unit]} per request, mean of {layouts} memory layouts;"
        f" noise floor \u00b1{comparison.floor:.2%}; {comparison.base} -> {comparison.head}"
    )


def explained(one: EndpointVerdict) -> list[str]:
    """The endpoint in sentences: the change, the note, the functions."""
    lines = []
    if one.layouts:
        lines.append(
            f"{one.endpoint}: {cost_words(one.before)} -> {cost_words(one.after)}, {one.rise:+.2%}"
            f" ({one.low:+.2%} to {one.high:+.2%}), budget {budget_words(one)}: {one.verdict}"
        )
    if one.note or not lines:
        lines.append(f"{one.endpoint}: {one.note or one.verdict}")
    return [*lines, *(f"{one.endpoint}: {function_words(each)}" for each in one.functions)]


def function_words(function: Changed) -> str:
    """The function, its share, its calls, its callers, its C function."""
    calls = f"called {function.calls_before:g} -> {function.calls_after:g} times a request"
    callers = f", from {', '.join(function.callers)}" if function.callers else ""
    symbol = f", in C: {function.symbol}" if function.symbol else ""
    return f"{function.name} is {function.share:.0%} of the rise ({calls}{callers}{symbol})"


def shown_verdict(one: EndpointVerdict) -> str:
    """The verdict; what could not be measured in words."""
    return "not measured" if one.verdict == "unstable" else one.verdict


def cost_words(cost: float) -> str:
    """12,345,678."""
    return f"{cost:,.0f}"


def budget_words(one: EndpointVerdict) -> str:
    """1% or 1% / 50,000."""
    words = f"{one.budget.relative * 100:.4g}%"
    if one.budget.absolute is not None:
        words += f" / {one.budget.absolute:,.0f}"
    return words
