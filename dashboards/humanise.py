"""Numbers for people: three significant digits, the unit beside each. `nan` becomes a dash."""

from math import floor, isfinite, log10

from profiler.records import Interval

__all__ = [
    "DASH",
    "ago",
    "change",
    "cost",
    "count",
    "duration_ns",
    "interval",
    "moved",
    "number",
    "p_value",
    "percent",
    "per_request",
    "per_second",
    "rate",
    "relative_interval",
    "signed",
    "span_s",
    "times",
]

DASH = "–"
MINUS = "−"

_NS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_INSTRUCTIONS = ((1e9, "G instr."), (1e6, "M instr."), (1e3, "k instr."), (1.0, "instr."))
_UNIT_SCALES = {"cpu_ns": _NS, "instructions": _INSTRUCTIONS}


def cost(value: float, unit: str) -> str:
    """A cost per request in one of COST_UNITS: `12.3 ms CPU`, `61.2 M instr.`."""
    if unit not in _UNIT_SCALES:
        return "not measurable"
    text = _scaled(value, _UNIT_SCALES[unit])
    return f"{text} CPU" if unit == "cpu_ns" and text != DASH else text


def per_request(value: float, unit: str) -> str:
    """A change of cost with its sign, in `unit`: `+2.31 ms`."""
    return signed(value, _scaled(abs(value), _UNIT_SCALES.get(unit, ((1.0, unit),))))


def per_second(value: float, unit: str) -> str:
    """CPU of the fleet in `unit` per second: `1.25 cores`, `3.1 G instr./s`."""
    if unit == "cpu_ns":
        return f"{_digits(value / 1e9)} cores" if isfinite(value) else DASH
    return f"{_scaled(value, _UNIT_SCALES.get(unit, ((1.0, unit),)))}/s"


def duration_ns(value: float) -> str:
    return _scaled(value, _NS)


def rate(per_s: float) -> str:
    return f"{_digits(per_s)}/s" if isfinite(per_s) else DASH


def percent(share: float, digits: int = 3) -> str:
    return f"{_digits(share * 100, digits)}%" if isfinite(share) else DASH


def change(share: float) -> str:
    """A relative change with its sign: `+25.1%`."""
    return signed(share, percent(abs(share)))


def number(value: float) -> str:
    return _digits(value) if isfinite(value) else DASH


def count(value: float) -> str:
    return f"{value:,.0f}" if isfinite(value) else DASH


def interval(of: Interval, unit: str) -> str:
    """An estimate with its 95% interval: `+2.31 ms [+1.9, +2.72]`, in one unit."""
    if not isfinite(of.value):
        return DASH
    if not (isfinite(of.low) and isfinite(of.high)):
        return f"{per_request(of.value, unit)} [unknown]"
    numbers = (of.value, of.low, of.high)
    scale = _UNIT_SCALES.get(unit, ((1.0, unit),))
    size, word = _size_of(max(map(abs, numbers)), scale)
    value, low, high = (signed(one, _digits(abs(one) / size)) for one in numbers)
    return f"{value} {word} [{low}, {high}]"


def relative_interval(of: Interval) -> str:
    """A relative change with its 95% interval: `+25.1% [+21%, +29%]`, -100% at lowest."""
    if not (isfinite(of.low) and isfinite(of.high)):
        return change(of.value)
    return f"{change(of.value)} [{change(max(of.low, -1.0))}, {change(of.high)}]"


def moved(before: str, after: str) -> str:
    """`6.07 → 7.59 ms CPU`: a unit that both have is written once."""
    first, _, unit = before.partition(" ")
    return f"{first if unit and after.endswith(f' {unit}') else before} → {after}"


def p_value(value: float) -> str:
    if not isfinite(value):
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def signed(value: float, text: str) -> str:
    """`text` is the absolute value, written out; the sign is that of `value`."""
    if not isfinite(value):
        return DASH
    return text if value == 0 else f"{'+' if value > 0 else MINUS}{text}"


def times(factor: float) -> str:
    return f"{_digits(factor)}×" if isfinite(factor) else DASH


def span_s(seconds: float) -> str:
    """A length of time: `45 s`, `12 min`, `3.5 h`, `30 d`."""
    if not isfinite(seconds):
        return DASH
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{_digits(seconds / size)} {word}"
    return f"{_digits(seconds)} s"


def ago(ts_ms: int, now_ms: int) -> str:
    """Whole units, rounded down: `2 min ago`."""
    seconds = max(0, now_ms - ts_ms) // 1000
    if seconds < 10:
        return "just now"
    size = next((size for size in (86_400, 3_600, 60) if seconds >= size), 1)
    return f"{span_s(seconds // size * size)} ago"


def _scaled(value: float, scale: tuple[tuple[float, str], ...]) -> str:
    if not isfinite(value):
        return DASH
    size, word = _size_of(abs(value), scale)
    return f"{_digits(value / size)} {word}"


def _size_of(value: float, scale: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    """The largest unit that the value has at least one of, else the smallest."""
    return next((one for one in scale if value >= one[0]), scale[-1])


def _digits(value: float, digits: int = 3) -> str:
    """Rounded to `digits` significant digits, never in exponent form."""
    if value == 0:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, places)
    text = f"{rounded:,.{max(0, min(places, 6))}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)
