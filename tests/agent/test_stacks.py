from agent.stacks import Modules, RawFrame, RawStack, mend, parse_raw, resolve
from profiler.vocabulary import STACK_FRAMES_MAX

PATHS = "\n".join(
    [
        "/srv/app",
        "/srv",
        "/usr/lib/python311.zip",
        "/usr/lib/python3.11",
        "/usr/lib/python3.11/lib-dynload",
        "/srv/app/.venv/lib/python3.11/site-packages",
        "/checkout/probe",
    ]
)
MODULES = Modules(PATHS)


def frames(*names):
    return tuple(RawFrame(name, f"/srv/app/{name[0]}.py", 1) for name in names)


def test_lines_of_py_spy_are_read_with_odd_names():
    text = (
        "thread (0x7F00AA): MainThread;<module> (/srv/a b.py:3);"
        "GET /x; y (z) (<endpoint>:12);Feed.rank.<locals>.<genexpr> (/srv/app/feed.py:9) 41\n"
        "thread (77);GET (unmatched) (<endpoint>:1);run (/srv/run.py:1) 2\n"
        "run (/srv/run.py:1) 3\n"
        "\n"
        "not a stack\n"
    )
    stacks, unread = parse_raw(text)
    assert unread == 1
    assert [(one.thread_id, one.samples) for one in stacks] == [(0, 41), (77, 2), (0, 3)]
    assert stacks[0].frames == (
        RawFrame("<module>", "/srv/a b.py", 3),
        RawFrame("GET /x; y (z)", "<endpoint>", 12),
        RawFrame("Feed.rank.<locals>.<genexpr>", "/srv/app/feed.py", 9),
    )
    assert stacks[1].frames[0] == RawFrame("GET (unmatched)", "<endpoint>", 1)


def test_modules_and_origins():
    venv = "/srv/app/.venv/lib/python3.11/site-packages"
    cases = {
        "/srv/app/feed/ranking.py": ("feed.ranking", 0),
        "/srv/app/feed/__init__.py": ("feed", 0),
        "/srv/other.py": ("other", 0),
        "/elsewhere/deep/wsgi.py": ("wsgi", 0),
        f"{venv}/django/db/models/query.py": ("django.db.models.query", 1),
        "/usr/lib/python3/dist-packages/six.py": ("six", 1),
        "/checkout/probe/dynoscope_probe/wsgi.py": ("dynoscope_probe.wsgi", 1),
        "/srv/app/.venv/bin/uwsgi": (".venv.bin.uwsgi", 1),
        "/usr/lib/python3.11/json/decoder.py": ("json.decoder", 2),
        "/usr/lib/python3.11/threading.py": ("threading", 2),
        "<frozen importlib._bootstrap>": ("importlib._bootstrap", 2),
        "<string>": ("string", 2),
        "/srv/app/fast.pyx": ("fast", 3),
        "relative.py": ("relative", 0),
    }
    assert {file: MODULES.of(file) for file in cases} == cases


def test_an_editable_install_has_its_packages_names():
    there = {"/src/shop/probe/__init__.py", "/src/shop/probe/deep/__init__.py"}
    modules = Modules("/srv/app", there.__contains__)
    assert modules.of("/src/shop/probe/deep/ring.py") == ("probe.deep.ring", 0)
    assert modules.of("/src/shop/probe/__init__.py") == ("probe", 0)
    assert modules.of("/src/shop/alone.py") == ("alone", 0)


def test_the_innermost_endpoint_names_the_stack_and_endpoint_frames_go():
    stack = resolve(
        [
            RawFrame("main", "/srv/app/main.py", 4),
            RawFrame("POST /graphql", "<endpoint>", 1),
            RawFrame("run", "/srv/app/main.py", 9),
            RawFrame("graphql Feed", "<endpoint>", 1),
            RawFrame("Feed.rank", "/srv/app/feed.py", 77),
        ],
        MODULES,
    )
    assert stack.endpoint == "graphql Feed"
    assert stack.frames == ("main:main", "main:run", "feed:Feed.rank")
    assert (stack.lines, stack.origins, stack.cut) == ((4, 9, 77), (0, 0, 0), False)


def test_identity_does_not_depend_on_lines_but_on_functions():
    def id_of(line, name):
        return resolve([RawFrame(name, "/srv/app/feed.py", line)], MODULES).stack_id

    assert id_of(1, "f") == id_of(2, "f") != id_of(1, "g")


def test_deep_stacks_are_cut_and_say_so():
    deep = [RawFrame(f"f{n}", "/srv/app/a.py", n) for n in range(STACK_FRAMES_MAX + 3)]
    stack = resolve([*deep, RawFrame("GET /deep", "<endpoint>", 1)], MODULES)
    assert stack.cut and stack.endpoint == "GET /deep"
    assert len(stack.frames) == len(stack.lines) == len(stack.origins) == STACK_FRAMES_MAX


def test_a_generator_without_callers_is_put_back_under_its_most_frequent_ones():
    stacks = [
        RawStack(1, frames("main", "view", "gen"), 10),
        RawStack(1, frames("main", "other", "gen", "leaf"), 2),
        RawStack(1, frames("gen", "leaf"), 5),
        RawStack(1, frames("idle"), 1),
        RawStack(1, frames("x.<genexpr>"), 3),
    ]
    whole, mended, lost = mend(stacks)
    assert (mended, lost) == (5, 3)
    assert RawStack(1, frames("main", "view", "gen", "leaf"), 5) in whole
    assert RawStack(1, frames("idle"), 1) in whole
    assert sum(one.samples for one in whole) == 18
