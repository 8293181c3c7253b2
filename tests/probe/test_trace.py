import random

import pytest

from dynoscope_probe.trace import threshold_of, trace_context, traceparent_of

HIGH, LOW, SPAN = "0af7651916cd43dd", "8448eb211c80319c", "b7ad6b7169203331"


def context(text, rate=0.0, seed=1):
    return trace_context(text, random.Random(seed).getrandbits, threshold_of(rate))


@pytest.mark.parametrize(("flags", "sampled"), [("00", 0), ("01", 1), ("03", 1), ("fe", 0)])
def test_the_callers_trace_goes_on(flags, sampled):
    high, low, kept, parent, own = context(f"00-{HIGH}{LOW}-{SPAN}-{flags}")
    assert (high, low, kept) == (int(HIGH, 16), int(LOW, 16), sampled)
    assert parent == int(SPAN, 16)
    assert 0 < own < 1 << 64 and own != parent


def test_a_later_version_with_more_fields_is_read():
    assert context(f"cc-{HIGH}{LOW}-{SPAN}-01-what-will-be")[2] == 1


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "nonsense",
        f"ff-{HIGH}{LOW}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{HIGH}{LOW}-{'0' * 16}-01",
        f"00-{HIGH.upper()}{LOW}-{SPAN}-01",
        f"00-{HIGH}-{SPAN}-01",
        f"00-{HIGH}{LOW}-{SPAN}-01-more",
        f"00-{HIGH}{LOW}-{SPAN}-01x",
        f"00-{HIGH}{LOW}-{SPAN}-01\n",
        f"cc-{HIGH}{LOW}-{SPAN}-01.more",
    ],
)
def test_otherwise_a_new_one_begins(text):
    high, low, sampled, parent, own = context(text)
    assert (high, low) != (int(HIGH, 16), int(LOW, 16))
    assert 0 < high < 1 << 64 and 0 < low < 1 << 64 and 0 < own < 1 << 64
    assert (sampled, parent) == (0, 0)


def test_what_is_handed_on_is_read_back():
    trace = context(f"00-{HIGH}{LOW}-{SPAN}-01")
    text = traceparent_of(trace, 0xAB)
    assert text == f"00-{HIGH}{LOW}-00000000000000ab-01"
    assert context(text)[:4] == (*trace[:3], 0xAB)


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_a_share_of_traces_is_kept(rate):
    bits = random.Random(3).getrandbits
    kept = sum(trace_context(None, bits, threshold_of(rate))[2] for _ in range(4_000))
    assert abs(kept / 4_000 - rate) < 0.03
    assert rate not in (0.0, 1.0) or kept == 4_000 * rate


def test_services_of_one_rate_keep_the_same_traces():
    for seed in range(200):
        first = context(None, 0.5, seed)
        asked = traceparent_of((*first[:2], 0, 0, 0), first[4])
        assert context(asked, 0.5, seed + 1)[2] == first[2]
