import threading
import time
import wsgiref.util
import wsgiref.validate

import pytest

import dynoscope_probe
from dynoscope_probe import guard, layout
from tests.probe.reading import read_rings, records_in

OK, ERROR, _, DISCONNECTED = range(4)


def call(application, method="GET", path="/", consume=True, **environ):
    """(status, headers, body) of a request, made as a server makes it."""
    values = {"REQUEST_METHOD": method, "PATH_INFO": path, **environ}
    wsgiref.util.setup_testing_defaults(values)
    started = []

    def start_response(status, headers, exc_info=None):
        if exc_info and not started:
            started.append(None)
        started[:] = [status, headers]
        return written.append

    written = []
    response = application(values, start_response)
    try:
        parts = [*response] if consume else []
    finally:
        if hasattr(response, "close"):
            response.close()
    return started[0], started[1], b"".join(written + parts)


def respond(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"answer"]


def one(ring_dir):
    (found,) = records_in(ring_dir)
    return found


def test_a_request_leaves_one_record(ring_dir):
    before_ns = time.time_ns()
    assert call(dynoscope_probe.wsgi(respond)) == (
        "200 OK",
        [("Content-Type", "text/plain")],
        b"answer",
    )
    endpoint, record = one(ring_dir)
    assert endpoint == "GET (unmatched)"
    assert (record["status"], record["outcome"], record["kind"]) == (200, OK, 0)
    assert before_ns <= record["started_ns"] <= time.time_ns()
    assert record["unit"] in (1, 2)
    assert record["cost"] > 0 and 0 < record["wall_ns"] < 60e9
    assert record["worker_req"] == record["seq"] == 1


def test_cost_is_cpu_time_and_wall_is_not(ring_dir, monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_COUNTER", "cpu_ns")

    def application(environ, start_response):
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        time.sleep(0.2)
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    _, record = one(ring_dir)
    assert 0.05e9 <= record["cost"] < 0.15e9
    assert record["cost"] == record["task_clock_ns"]
    assert record["wall_ns"] >= 0.25e9


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "503 Busy", "0", "", "x"])
def test_status_and_outcome(ring_dir, status):
    def application(environ, start_response):
        start_response(status, [])
        return [b""]

    call(dynoscope_probe.wsgi(application))
    _, record = one(ring_dir)
    number = int(status[:3]) if status[:3].isdigit() else 0
    assert record["status"] == number
    assert record["outcome"] == (ERROR if number >= 500 else OK)


def test_the_validator_has_nothing_to_say(ring_dir):
    def streaming(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"a", b"b"])

    for inner in (respond, streaming):
        application = wsgiref.validate.validator(
            dynoscope_probe.wsgi(wsgiref.validate.validator(inner))
        )
        values = {"SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": ""}
        wsgiref.util.setup_testing_defaults(values)
        response = application(values, lambda status, headers, exc_info=None: print)
        assert b"".join(response) in (b"answer", b"ab")
        response.close()
    assert len(records_in(ring_dir)) == 2


def test_a_streamed_response_counts_until_it_is_closed(ring_dir, monkeypatch):
    monkeypatch.setenv("DYNOSCOPE_COUNTER", "cpu_ns")
    closed = []

    class Streamed:
        def __iter__(self):
            for _ in range(3):
                end = time.thread_time() + 0.02
                while time.thread_time() < end:
                    pass
                yield b"x"

        def close(self):
            closed.append(len(records_in(ring_dir)))
            end = time.thread_time() + 0.02
            while time.thread_time() < end:
                pass

    def application(environ, start_response):
        respond(environ, start_response)
        return Streamed()

    assert call(dynoscope_probe.wsgi(application))[2] == b"xxx"
    assert closed == [0]
    _, record = one(ring_dir)
    assert record["cost"] >= 0.08e9
    assert record["outcome"] == OK


def test_a_response_that_is_closed_before_its_end_was_disconnected(ring_dir):
    def application(environ, start_response):
        respond(environ, start_response)
        return iter([b"a", b"b"])

    call(dynoscope_probe.wsgi(application), consume=False)
    assert one(ring_dir)[1]["outcome"] == DISCONNECTED


def test_a_response_that_is_never_closed_ends_with_the_next_request(ring_dir):
    def application(environ, start_response):
        respond(environ, start_response)
        return iter([b"a"])

    wrapped = dynoscope_probe.wsgi(application)
    environ = {"REQUEST_METHOD": "GET"}
    next(iter(wrapped(environ, lambda *_: None)))
    call(wrapped)
    outcomes = [record["outcome"] for _, record in records_in(ring_dir)]
    assert outcomes == [DISCONNECTED, OK]


def test_write_and_a_second_start_response_pass_through(ring_dir):
    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"by hand ")
        try:
            raise ValueError
        except ValueError as error:
            start_response("500 Oops", [], (ValueError, error, error.__traceback__))
        return [b"rest"]

    status, _, text = call(dynoscope_probe.wsgi(application))
    assert (status, text) == ("500 Oops", b"by hand rest")
    assert one(ring_dir)[1]["status"] == 500


def test_an_exception_leaves_as_it_came_and_is_recorded(ring_dir):
    def application(environ, start_response):
        raise LookupError("no 'secret' 123456")

    with pytest.raises(LookupError) as caught:
        call(dynoscope_probe.wsgi(application))
    files = [entry.path.name for entry in caught.traceback if hasattr(entry.path, "name")]
    assert "<endpoint>" not in {str(entry.path) for entry in caught.traceback}, files
    (ring,) = read_rings(ring_dir)
    (record,) = ring.records
    assert (record["outcome"], record["status"]) == (ERROR, 0)
    kind, message, frames = ring.text(record["error_id"]).split("\x1f")
    assert (kind, message) == ("LookupError", "no <value> <number>")
    assert frames.startswith("tests.probe.test_middleware:")
    assert record["error_fp"] != 0


@pytest.mark.parametrize("where", ["__iter__", "__next__", "close"])
def test_an_exception_of_the_response_is_recorded(ring_dir, where):
    class Response:
        def __iter__(self):
            if where == "__iter__":
                raise OSError(where)
            return self

        def __next__(self):
            if where == "__next__":
                raise OSError(where)
            raise StopIteration

        def close(self):
            if where == "close":
                raise OSError(where)

    def application(environ, start_response):
        respond(environ, start_response)
        return Response()

    with pytest.raises(OSError, match=where):
        call(dynoscope_probe.wsgi(application))
    assert one(ring_dir)[1]["outcome"] == ERROR


def test_system_exit_passes_through(ring_dir):
    def application(environ, start_response):
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        call(dynoscope_probe.wsgi(application))
    assert one(ring_dir)[1]["outcome"] == ERROR


def test_lists_and_files_reach_the_server_unchanged(ring_dir):
    answers = [[b"a"], (b"a",), wsgiref.util.FileWrapper(open(__file__, "rb"))]  # noqa: SIM115

    def application(environ, start_response):
        respond(environ, start_response)
        return answers[-1]

    wrapped = dynoscope_probe.wsgi(application)
    while answers:
        environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": wsgiref.util.FileWrapper}
        assert wrapped(environ, lambda *_: None) is answers[-1]
        getattr(answers.pop(), "close", bool)()
    with open(__file__, "rb") as file:  # uWSGI's file_wrapper is a function that gives the file
        answers.append(file)
        environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": lambda file, size: file}
        assert wrapped(environ, lambda *_: None) is file
    assert len(records_in(ring_dir)) == 4


def test_a_sized_response_stays_sized(ring_dir):
    class Sized(list):
        def close(self):
            pass

    def application(environ, start_response):
        respond(environ, start_response)
        return Sized([b"a"])

    response = dynoscope_probe.wsgi(application)({"REQUEST_METHOD": "GET"}, lambda *_: None)
    assert len(response) == 1
    assert [*response] == [b"a"]
    response.close()


def test_wrapping_twice_counts_once(ring_dir):
    once = dynoscope_probe.wsgi(respond)
    assert dynoscope_probe.wsgi(once) is once

    def between(environ, start_response):
        return once({**environ}, start_response)

    call(dynoscope_probe.wsgi(between))
    assert len(records_in(ring_dir)) == 1


def test_attributes_of_the_application_stay_in_reach():
    class Application:
        config = {"a": 1}
        __call__ = staticmethod(respond)

    assert dynoscope_probe.wsgi(Application()).config == {"a": 1}
    assert dynoscope_probe.wsgi("not callable") == "not callable"


def test_context_switches_are_those_within_the_request(ring_dir):
    def application(environ, start_response):
        for _ in range(20 * (environ["PATH_INFO"] == "/waits")):
            time.sleep(0.001)
        return respond(environ, start_response)

    wrapped = dynoscope_probe.wsgi(application)
    for path in ("/waits", "/", "/", "/waits", "/", "/"):
        time.sleep(0.001)  # between requests: no request's
        call(wrapped, path=path)
    switches = [record["ctx_switches"] for _, record in records_in(ring_dir)]
    for first, *others in (switches[:3], switches[3:]):
        assert 20 <= first < 200
        assert min(others) == 0


def test_an_endpoint_is_known_again_by_its_route_and_method(ring_dir, monkeypatch):
    monkeypatch.setattr("dynoscope_probe.ring.ENDPOINTS_MAX", 4)
    wrapped = dynoscope_probe.wsgi(respond)
    wrapped._resolve = lambda environ: (environ["PATH_INFO"][1:] or None, None)
    asked = [("GET", "/a"), ("POST", "/a"), ("GET", "/"), ("BREW", "/a"), ("GET", "/b")]
    for method, path in asked * 3:
        call(wrapped, method, path)
    names = ["GET /a", "POST /a", "GET (unmatched)", "(method) /a", "(other)"]
    assert [endpoint for endpoint, _ in records_in(ring_dir)] == names * 3
    (ring,) = read_rings(ring_dir)
    assert ring.counters["endpoints_over"] == 3


def test_32_threads_lose_nothing_and_mix_nothing(ring_dir):
    def application(environ, start_response):
        start_response(environ["PATH_INFO"][1:] + " OK", [])
        return iter([environ["PATH_INFO"].encode()])

    wrapped = dynoscope_probe.wsgi(application)
    wrong = []
    call(wrapped, path="/200")  # the ring is made

    def many(number):
        path = f"/{number + 200}"
        wrong.extend(1 for _ in range(50) if call(wrapped, path=path)[2] != path.encode())

    threads = [threading.Thread(target=many, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = [record for _, record in records_in(ring_dir)]
    assert wrong == []
    assert len(records) == 32 * 50 + 1
    for number in range(1, 32):
        mine = [record for record in records if record["status"] == number + 200]
        assert len(mine) == 50
        assert len({record["thread_slot"] for record in mine}) == 1
    (ring,) = read_rings(ring_dir)
    assert ring.in_flight == []


def test_the_slot_of_an_ended_thread_serves_the_next(ring_dir):
    wrapped = dynoscope_probe.wsgi(respond)
    for _ in range(300):
        thread = threading.Thread(target=call, args=(wrapped,))
        thread.start()
        thread.join()
    (ring,) = read_rings(ring_dir)
    assert len(ring.records) == 300
    assert ring.counters["slots_full"] == 0


def test_what_is_in_flight_shows_while_it_runs(ring_dir):
    seen = []

    def application(environ, start_response):
        (ring,) = read_rings(ring_dir)
        seen.extend((ring.text(slot["endpoint_id"]), slot["busy"]) for slot in ring.in_flight)
        return respond(environ, start_response)

    call(dynoscope_probe.wsgi(application))
    (ring,) = read_rings(ring_dir)
    assert seen == [("GET (unmatched)", 1)]
    assert ring.in_flight == []


def test_a_response_closed_by_another_thread_has_no_cost(ring_dir):
    def application(environ, start_response):
        respond(environ, start_response)
        return iter([])

    environ = {"REQUEST_METHOD": "GET"}
    response = dynoscope_probe.wsgi(application)(environ, lambda *_: None)
    thread = threading.Thread(target=lambda: ([*response], response.close()))
    thread.start()
    thread.join()
    _, record = one(ring_dir)
    assert (record["unit"], record["cost"]) == (layout.UNITS.index("none"), 0)


def test_a_failing_hook_is_counted_and_the_application_runs_on(ring_dir):
    wrapped = dynoscope_probe.wsgi(respond)
    call(wrapped)
    guard.reraise_with(None)
    wrapped._resolve = lambda environ: None
    assert call(wrapped, method="POST")[2] == b"answer"
    (ring,) = read_rings(ring_dir)
    assert len(ring.records) == 1
    assert ring.counters["probe_errors"] == 1
