from agent.seen import Seen


def test_a_key_goes_out_until_it_is_settled_and_again_in_the_next_period():
    seen = Seen(period_ms=1000)
    assert seen.fresh([1, 2, 1], 500) == [1, 2]
    assert seen.fresh([1], 500) == [1]
    seen.settle([1])
    assert seen.fresh([1, 3], 999) == [3]
    assert seen.fresh([1, 3], 1000) == [1, 3]
