from pathlib import Path
from threading import Event

from agent.gathering import Gathering
from agent.limits import Limits
from agent.scrape import Scraper
from agent.series import Series
from agent.uwsgi import UWSGI

PROC = Path("/proc")


class Noisy(Scraper):
    def read(self):
        return [Series(f"n{n}", "gauge", "", (), n, "scrape") for n in range(7)]


def gathering(monkeypatch, limits):
    monkeypatch.setattr("agent.gathering.SERIES_WAITING_MAX", 10)
    return Gathering(limits, PROC, Noisy((), limits), UWSGI(limits, PROC), every_s=0.01)


def test_what_is_gathered_is_taken_once_and_bounded_while_nobody_takes_it(monkeypatch):
    limits = Limits()
    source = gathering(monkeypatch, limits)
    source.once()
    source.once()
    assert [one.name for one in source.take()] == [f"n{n}" for n in (0, 1, 2, 3, 4, 5, 6, 0, 1, 2)]
    assert limits.totals() == {"agent.series_dropped": 4}
    assert source.take() == []


def test_it_runs_until_it_is_told_to_stop(monkeypatch):
    source = gathering(monkeypatch, Limits())
    stop, looks = Event(), []
    monkeypatch.setattr(
        Noisy, "read", lambda self: looks.append(1) or len(looks) > 2 and stop.set() or []
    )
    source.run(stop)
    assert len(looks) == 3
