"""Releases: what r2 changes, and that nothing else does."""

import ast
import runpy
import types
from pathlib import Path

import pytest

from demo_stack.processes import DemoError
from demo_stack.releases import SERVICE, build_release, changed_files, patch_of


def test_r2_changes_one_function_and_nothing_else(tmp_path: Path):
    first = build_release(tmp_path, "r1", None) / "photos"
    second = build_release(tmp_path, "r2", patch_of("r2")) / "photos"
    assert changed_files(first, second) == ["ranking/affinity.py"]
    before, after = (_pieces(release / "ranking/affinity.py") for release in (first, second))
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == ["affinity_score"]


def test_r2_ranks_as_r1_does(tmp_path: Path):
    scores = [
        runpy.run_path(str(build_release(tmp_path, name, patch) / "photos/ranking/affinity.py"))
        for name, patch in (("r1", None), ("r2", patch_of("r2")))
    ]
    viewer = types.SimpleNamespace(
        interactions={1: 3.0, 2: 9.5},
        strongest=9.5,
        tastes={"art": 0.5, "surf": 0.9},
        favourites=["surf", "art"],
    )
    for author, topics in ((1, ["art"]), (2, ["surf", "snow"]), (3, [])):
        candidate = types.SimpleNamespace(author_id=author, topics=topics)
        first, second = (score["affinity_score"](viewer, candidate) for score in scores)
        assert 0 < first == second <= 1


def test_release_without_a_patch_is_the_service_as_it_is(tmp_path: Path):
    assert patch_of("r7") is None
    folder = build_release(tmp_path, "r7", patch_of("r7"))
    assert changed_files(SERVICE, folder / "photos") == []


def test_building_again_starts_afresh(tmp_path: Path):
    folder = build_release(tmp_path, "r2", patch_of("r2"))
    (folder / "photos" / "left_over.py").write_text("")
    build_release(tmp_path, "r2", None)
    assert changed_files(SERVICE, folder / "photos") == []


def test_patch_that_does_not_fit_is_refused(tmp_path: Path):
    patch = tmp_path / "bad.patch"
    patch.write_text("--- a/photos/urls.py\n+++ b/photos/urls.py\n@@ -1 +1 @@\n-nothing\n+other\n")
    with pytest.raises(DemoError, match=r"applying bad\.patch to release r9"):
        build_release(tmp_path, "r9", patch)


@pytest.mark.parametrize("name", ["../r2", "a/b", ".hidden", "line\nbreak"])
def test_names_that_are_no_folder_are_refused(name: str):
    with pytest.raises(DemoError, match="cannot name a release"):
        patch_of(name)


def _pieces(source: Path) -> dict[str, str]:
    """Top-level statements: function name, or position of anything else -> its code."""
    return {
        getattr(node, "name", f"statement {place}"): ast.dump(node)
        for place, node in enumerate(ast.parse(source.read_text()).body)
    }
