import pytest

from agent.budget import Budget, Plan


def test_a_full_bucket_pays_for_all_and_an_empty_one_for_none():
    budget = Budget(share=0.5)
    budget.account(0, 100)
    assert budget.plan(2, 5, 20) == Plan(2, 20)
    budget.account(1, 200)
    assert budget.plan(2, 5, 20) == Plan(0, 20)


def test_a_small_bucket_pays_for_fewer_workers_then_for_a_lower_rate():
    budget = Budget(share=0.01, start_cpu_s=0.1, tick_cpu_s=0.001)
    budget.account(0, 0)  # 0.3 s in the bucket; a worker costs 0.2
    assert budget.plan(8, 5, 20) == Plan(1, 20)
    budget.account(0, 0.149)  # 0.151 left: 0.051 for ticks
    assert budget.plan(8, 5, 20) == Plan(1, 10)
    budget.account(0, 0.19)
    assert budget.plan(8, 5, 20) == Plan(0, 20)
    assert budget.plan(0, 5, 20) == Plan(0, 20)


def test_what_is_used_stays_within_the_share_however_wrong_the_first_guess():
    budget = Budget(share=0.01)
    wall, cpu, true_cost = 0.0, 3.0, 0.4
    started = cpu
    budget.account(wall, cpu)
    for _ in range(2000):
        plan = budget.plan(4, 5, 20)
        wall += 5
        cpu += plan.workers * true_cost + 0.005
        budget.learn(plan.workers, plan.workers * 100, plan.workers * true_cost)
        budget.account(wall, cpu)
    assert 0.008 < (cpu - started) / wall <= 0.0101
    assert budget.used_share == pytest.approx(0.01, rel=0.5)
