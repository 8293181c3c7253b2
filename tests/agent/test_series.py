from agent.series import Increases


def test_the_first_reading_has_no_increase_and_a_fall_is_a_new_start():
    increases = Increases()
    readings = [increases.of("a", value) for value in (10, 10, 12.5, 4, 4)]
    assert readings == [None, 0, 2.5, 4, 0]
    assert increases.of("b", 1) is None


def test_the_number_of_counters_is_bounded(monkeypatch):
    monkeypatch.setattr("agent.series.KEYS_MAX", 3)
    increases = Increases()
    for key in "abc":
        increases.of(key, 1)
    increases.of("a", 2)  # read again, so "b" is the oldest
    increases.of("d", 1)
    assert increases.of("b", 5) is None
    assert increases.of("a", 5) == 3
