import functools
import importlib
import json
import os
import re
import sys
from types import FunctionType

import pytest

from agent.stacks import Modules, RawFrame, resolve
from dynoscope_probe import endpoint
from dynoscope_probe.naming import Names

PATHS = [os.path.abspath(path) for path in sys.path]
NAMES = Names(PATHS)


def sampled(code):
    """The name that a stack sampled by py-spy gets for the same code."""
    frame = RawFrame(code.co_qualname, code.co_filename, 1)
    return resolve([frame], Modules("\n".join(PATHS))).frames[0]


def functions_of_every_module():
    for module in list(sys.modules.values()):
        for value in list(vars(module).values()):
            if type(value) is FunctionType:
                yield value
            elif issubclass(type(value), type):  # asking for __class__ wakes lazy objects
                yield from (one for one in vars(value).values() if type(one) is FunctionType)


def test_names_are_those_of_sampled_stacks():
    seen = 0
    for function in functions_of_every_module():
        code = function.__code__
        if code.co_filename != endpoint.ENDPOINT_FILE:
            assert NAMES.of(code) == sampled(code)
            seen += 1
    assert seen > 5_000


def test_a_module_outside_sys_path_is_named_from_its_topmost_package(tmp_path):
    package = tmp_path / "shop" / "feed"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("")
    source = compile("def rank(): pass", str(package / "ranking.py"), "exec")
    code = source.co_consts[0]
    assert NAMES.of(code) == sampled(code) == "shop.feed.ranking:rank"
    assert NAMES.of(compile("", str(package / "__init__.py"), "exec")) == "shop.feed:<module>"


def described(call):
    """How cProfile describes the C functions that a call makes."""
    import cProfile

    profiler = cProfile.Profile()
    profiler.enable()
    call()
    profiler.disable()
    return [one.code for one in profiler.getstats() if isinstance(one.code, str)]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: len(()), "builtins:len"),
        (lambda: [].append(1), "builtins:list.append"),
        (lambda: json.scanner.c_make_scanner, None),
        (lambda: re.compile("a").search("a"), "re:Pattern.search"),
        (lambda: importlib.import_module("time").sleep(0), "time:sleep"),
        (lambda: dict.fromkeys("a"), "builtins:fromkeys"),
        (lambda: functools.reduce(max, [1, 2]), "_functools:reduce"),
        (lambda: object.__new__(object), "builtins:__new__"),
        (lambda: {}.items(), "builtins:dict.items"),
    ],
)
def test_c_functions_have_names_without_addresses(call, name):
    names = [NAMES.of(description) for description in described(call)]
    assert name is None or name in names
    assert not any("0x" in name or "<" in name for name in names)


def test_what_is_described_in_another_way_keeps_its_words():
    """A C method that a class of the application overrides and calls is described by that one."""
    assert NAMES.of("<function Cursor.execute at 0x7f12ab>") == "native:Cursor.execute"
    assert NAMES.of("<built-in function of X at 0x7f12ab>") == "native:built-in function of X"
