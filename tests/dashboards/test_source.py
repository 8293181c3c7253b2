import pytest

from collector.errors import BadQuestion
from dashboards.source import NoData, Source, ask
from tests.dashboards import seeds


@pytest.fixture
def source(seeded):
    return Source(seeded, lambda: seeds.NOW_MS / 1000, 200, 120)


def test_the_service_that_sent_data_last_is_chosen(source):
    question = ask(source, {}, "-1h")
    assert question.query.service == question.service.service == seeds.SERVICE
    assert question.service.releases == ("r1", "r2")
    assert question.window.to_ms == seeds.NOW_MS
    assert question.window.seconds == 3600


def test_the_address_wins_over_the_page(source):
    assert ask(source, {"start": "-5m"}, "-1h").window.seconds == 300


def test_what_is_not_understood_is_refused(source):
    with pytest.raises(BadQuestion, match="soon"):
        ask(source, {"start": "soon"}, "-1h")
    with pytest.raises(NoData, match="nowhere"):
        ask(source, {"service": "nowhere"}, "-1h")
