import pytest

from collector.answers.sources.folder import Folder
from collector.answers.sources.places import Places, parse_places
from collector.answers.sources.text import NoSource
from collector.errors import CollectorError


def test_a_service_has_its_own_place_or_that_of_all(tmp_path):
    (tmp_path / "own").mkdir()
    places = parse_places([str(tmp_path), f"shop={tmp_path / 'own'}"])
    assert places.of("shop") == Folder(tmp_path / "own")
    assert places.of("blog") == Folder(tmp_path)


def test_without_a_place_the_setting_is_named():
    with pytest.raises(NoSource, match="serve --source shop=FOLDER"):
        Places().of("shop")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (["shop=/nonexistent"], "/nonexistent is no folder"),
        (["git:/nonexistent"], "/nonexistent is no folder"),
        (["shop=git:{}"], "not a git repository"),
        (["shop={}", "shop={}"], "names shop twice"),
        (["{}", "{}"], "names all services twice"),
    ],
)
def test_a_place_that_cannot_be_is_one_sentence(tmp_path, settings, sentence):
    with pytest.raises(CollectorError, match=sentence):
        parse_places([setting.format(tmp_path) for setting in settings])
