import random

import pytest

from dynoscope_probe.trace import trace_context

HIGH, LOW = "0af7651916cd43dd", "8448eb211c80319c"


def context(text):
    return trace_context(text, random.Random(1).getrandbits)


@pytest.mark.parametrize(("flags", "sampled"), [("00", 0), ("01", 1), ("03", 1), ("fe", 0)])
def test_the_callers_trace_goes_on(flags, sampled):
    found = context(f"00-{HIGH}{LOW}-b7ad6b7169203331-{flags}")
    assert found == (int(HIGH, 16), int(LOW, 16), sampled)


def test_a_later_version_with_more_fields_is_read():
    assert context(f"cc-{HIGH}{LOW}-b7ad6b7169203331-01-what-will-be")[2] == 1


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "nonsense",
        f"ff-{HIGH}{LOW}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{HIGH.upper()}{LOW}-b7ad6b7169203331-01",
        f"00-{HIGH}-b7ad6b7169203331-01",
    ],
)
def test_otherwise_a_new_one_begins(text):
    high, low, sampled = context(text)
    assert (high, low) != (int(HIGH, 16), int(LOW, 16))
    assert 0 < high < 1 << 64 and 0 < low < 1 << 64
    assert sampled == 0
