"""The live trial reads a real profile, and finds a large change; small ones are the benchmark's."""

import json

from benchmarks.attributing import live


def test_a_stage_with_six_times_the_work_is_named(tmp_path):
    plain, planted = tmp_path / "plain.json", tmp_path / "planted.json"
    plain.write_text("{}")
    planted.write_text(json.dumps({"stage_2": 6.0}))
    sides = ([], [])
    for _ in range(3):
        for plan, runs in zip((plain, planted), sides, strict=True):
            runs.append(live.run(plan, tmp_path / "stacks.json", seconds=2.0))
    assert live.named(*sides) == "program:stage_2"
    assert all(run.windows and run.stacks for runs in sides for run in runs)
