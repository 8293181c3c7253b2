"""The service's endpoints, through nginx, on real servers."""

import io
import time
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from demo_stack.arrivals import SEEDED_MEDIA, SEEDED_USERS
from demo_stack.folders import ring_root
from demo_stack.photos import photo_uploads
from demo_stack.stack import Stack


@pytest.fixture(scope="module")
def api(stack: Stack):
    with httpx.Client(
        base_url=f"{stack.edge_url()}/api/v1/", headers={"X-User-Id": "7"}, timeout=20
    ) as client:
        yield client


def test_feed_ranks_500_candidates(api: httpx.Client):
    feed = api.get("feed/").json()
    assert feed["candidates"] == 500
    assert len(feed["items"]) == 30
    assert len({item["id"] for item in feed["items"]}) == 30
    scores = [item["score"] for item in feed["items"]]
    assert scores[0] == max(scores) > min(scores) > 0


def test_feeds_differ_between_viewers_and_stay_for_one(api: httpx.Client):
    def ids(viewer: int) -> list[int]:
        items = api.get("feed/", headers={"X-User-Id": str(viewer)}).json()["items"]
        return [item["id"] for item in items]

    assert ids(11) == ids(11)
    assert ids(11) != ids(12)


@pytest.mark.parametrize(
    ("viewer", "status"), [("", 400), ("x", 400), ("-1", 400), ("0", 401), ("٣", 400)]
)
def test_feed_wants_a_viewer(api: httpx.Client, viewer: str, status: int):
    answer = api.get("feed/", headers={"X-User-Id": viewer.encode()})
    assert answer.status_code == status
    assert "error" in answer.json()


def test_media_detail(api: httpx.Client):
    detail = api.get("media/17/").json()
    assert detail["id"] == 17
    assert len(detail["topics"]) == 5
    assert api.get(f"media/{SEEDED_MEDIA}/").status_code == 200
    assert api.get("media/987654321/").status_code == 404
    assert api.post("media/17/").status_code == 405


def test_a_like_counts_once(api: httpx.Client):
    before = api.get("media/23/").json()
    assert not before["liked"]
    assert api.post("media/23/like/").json() == {"liked": True, "new": True}
    assert api.post("media/23/like/").json() == {"liked": True, "new": False}
    after = api.get("media/23/").json()
    assert after["liked"]
    assert after["likes"] == before["likes"] + 1
    assert api.post("media/987654321/like/").status_code == 404


def test_a_follow_counts_once(api: httpx.Client):
    before = api.get("users/user-8/").json()
    answers = [api.post("users/8/follow/", headers={"X-User-Id": "9"}).json() for _ in range(2)]
    after = api.get("users/user-8/").json()
    assert answers[1] == {"following": True, "new": False}
    assert after["followers"] == before["followers"] + answers[0]["new"]


def test_profile_lists_photos(api: httpx.Client):
    profile = api.get(f"users/user-{SEEDED_USERS}/").json()
    assert profile["id"] == SEEDED_USERS
    assert 0 < len(profile["photos"]) <= 12
    assert api.get("users/nobody/").status_code == 404


def test_search_finds_words_of_captions(api: httpx.Client):
    results = api.get("search/", params={"q": "river bread"}).json()["results"]
    assert results
    assert all("river" in r["caption"] and "bread" in r["caption"] for r in results)
    assert api.get("search/", params={"q": "no-such-word-anywhere"}).json() == {"results": []}
    assert api.get("search/").status_code == 400
    assert api.get("search/", params={"q": "x" * 101}).status_code == 400


def test_upload_is_stored_and_thumbnailed(stack: Stack, api: httpx.Client):
    upload = photo_uploads(seed=5)[0]
    answer = api.post("media/", content=upload.body, headers={"Content-Type": upload.content_type})
    assert answer.status_code == 201, answer.text
    number = answer.json()["id"]
    thumbnail = stack.home / "media" / _thumbnail(api, number)
    with Image.open(thumbnail) as photo:
        assert photo.format == "JPEG"
        assert max(photo.size) == 320
    # The worker process that made it counts its tasks like a web worker its requests.
    (pool_process,) = psutil.Process(stack.state.process("jobs").pid).children()
    assert list((ring_root(stack.home) / "web-1").glob(f"{pool_process.pid}-*.ring"))
    stored = [path.read_bytes() for path in (stack.home / "media" / "photos").iterdir()]
    assert any(photo in upload.body for photo in stored)


def test_png_with_transparency_becomes_a_thumbnail(stack: Stack, api: httpx.Client):
    encoded = io.BytesIO()
    Image.new("RGBA", (900, 300), (10, 200, 30, 90)).save(encoded, "PNG")
    files = {"image": ("photo.png", encoded.getvalue(), "image/png")}
    answer = api.post("media/", files=files, data={"caption": "green"})
    assert answer.json()["width"] == 900
    with Image.open(stack.home / "media" / _thumbnail(api, answer.json()["id"])) as photo:
        assert photo.size == (320, 107)


@pytest.mark.parametrize("content", [b"", b"not a photo", b"\xff\xd8\xff\xe0 cut off", b"GIF89a"])
def test_what_is_no_photo_is_refused(stack: Stack, api: httpx.Client, content: bytes):
    before = _stored(stack)
    answer = api.post("media/", files={"image": ("photo.jpg", content, "image/jpeg")})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("field image:")
    assert api.post("media/", data={"caption": "no file"}).status_code == 400
    assert _stored(stack) == before


def _thumbnail(api: httpx.Client, number: int) -> str:
    """Its name in the storage, once the job worker has made it."""
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        name = api.get(f"media/{number}/").json()["thumbnail"]
        if name:
            return str(name)
        time.sleep(0.1)
    raise AssertionError(f"photo {number} was not thumbnailed within 30 s")


def _stored(stack: Stack) -> set[Path]:
    return set((stack.home / "media").rglob("*.*"))
