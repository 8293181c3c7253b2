"""What the load's lines say of a ramp."""

from demo_stack.ramp import STEPS, Step, left_at_rps, steps


def line(planned_s, wall_ms, status=200, late_s=0.0):
    return {
        "planned_s": planned_s, "sent_s": planned_s + late_s, "wall_ms": wall_ms, "status": status,
    }  # fmt: skip


def step(p99_ms, requests=1000, failures=0, rate_rps=0.0):
    return Step(rate_rps, requests, failures, p99_ms)


def test_requests_fall_into_steps_by_their_planned_moment():
    lines = [line(5.0, 10 + n) for n in range(100)] + [line(119.9, 7.0, late_s=0.5, status=502)]
    found = steps(lines, 10, 130, 120)
    assert [one.rate_rps for one in found] == [15 + 10 * n for n in range(STEPS)]
    assert found[0] == Step(15.0, 100, 0, 109.0)
    assert found[1] == Step(25.0, 0, 0, 0.0)
    assert found[-1] == Step(125.0, 1, 1, 507.0), "what waited for its turn waited, too"


def test_what_the_client_did_wrong_is_no_failure():
    assert steps([line(0, 1, status=404), line(0, 1, status=0)], 1, 2, 1)[0].failures == 1


def test_the_limit_is_left_where_it_stays_left():
    slow, quick = step(600), step(20)
    rates = [
        Step(10.0 * n, one.requests, one.failures, one.p99_ms)
        for n, one in enumerate((quick, slow, quick, slow, slow, slow))
    ]
    assert left_at_rps(rates, 500) == 30
    assert left_at_rps(rates[:3], 500) is None
    assert left_at_rps(rates[:4], 500) == 30, "nothing is known of what comes after the last"
    assert left_at_rps([step(5, failures=11, rate_rps=7)], 500) == 7
