"""What holds for every source file of the probe."""

import ast
import sys
from pathlib import Path

import pytest

import dynoscope_probe
from dynoscope_probe import settings

PACKAGE = Path(dynoscope_probe.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
#: Imported only once the application has imported them itself.
FRAMEWORKS = {"celery", "django", "flask", "openfeature", "starlette", "uwsgi", "werkzeug"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_it_compiles_for_python_3_9(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    if path.name != "__init__.py" and "layout" not in path.name:
        imports = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
        assert "__future__" in imports


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_it_has_no_dependency(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            top = name.partition(".")[0]
            assert top in sys.stdlib_module_names | FRAMEWORKS | {"dynoscope_probe"}, name


def test_every_setting_is_documented():
    read = {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("DYNOSCOPE_")
        and node.value.isupper()
    }
    readme = (PACKAGE.parent / "README.md").read_text()
    assert settings.read_settings({}, "/").bad == 0
    assert len(read) >= 10
    assert {name for name in read if f"`{name}`" not in readme} == set()
