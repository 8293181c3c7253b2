from collections import Counter

from benchmarks.measuring.rounds import interleaved


def test_each_once_a_round_in_changing_order():
    turns = [*interleaved("abc", blocks=4, rounds_per_block=5, seed=1)]
    assert len(turns) == 60
    rounds = [turns[at : at + 3] for at in range(0, 60, 3)]
    for number, each in enumerate(rounds):
        assert {block for block, _ in each} == {number // 5}
        assert sorted(thing for _, thing in each) == ["a", "b", "c"]
    firsts = Counter(each[0][1] for each in rounds)
    assert len(firsts) == 3
    assert turns == [*interleaved("abc", 4, 5, seed=1)]
