/* The compiled part of dynoscope_probe: what its pure Python modules request.py and middleware.py do
 * in every request, in the same way. It keeps the interpreter lock throughout and owns no threads.
 *
 * Nothing here is global: a Core holds what an interpreter's modules gave it, a Ledger what belongs
 * to one process and its ring. */
#ifndef DYNOSCOPE_FAST_H
#define DYNOSCOPE_FAST_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <structmember.h>
#include <time.h>

/* Goes up with every change of what the Python modules and this one expect of each other: fast.py. */
#define INTERFACE 4

/* layout.RECORD, layout.SLOT: compared with layout.py when the module is loaded (loading.py). */
#define RECORD_FORMAT "<BBBBHHQQQQIIIIIIQQQQIIQQQQQIIIIIIQQQB3xI"
#define SLOT_FORMAT "<IIQQIIQQ16x"
#define PREFIX_FORMAT "<QI"
#define RECORD_BYTES 256
#define PREFIX_SIZE 12

typedef struct {
    uint8_t kind, outcome, unit, trace_sampled;
    uint16_t status, reserved;
    uint64_t started_ns, wall_ns, cost, task_clock_ns;
    uint32_t ctx_switches, worker_req, endpoint_id, flags_id, error_id, worker_age_s;
    uint64_t db_ns, cache_ns, rpc_ns, gc_ns;
    uint32_t db_calls, cache_calls;
    uint64_t trace_id_high, trace_id_low, span_id, user_hash, error_fp;
    uint32_t statements[6]; /* id and calls of three */
    uint64_t statement_ns[3];
    uint8_t thread_slot, padding[3];
    uint32_t rpc_calls;
} Record;

typedef struct {
    uint32_t busy, thread_id;
    uint64_t started_ns, started_monotonic_ns;
    uint32_t endpoint_id, kind;
    uint64_t trace_id_high, trace_id_low, reserved[2];
} Slot;

_Static_assert(sizeof(Record) == 200, "layout.RECORD");
_Static_assert(sizeof(Slot) == 64, "layout.SLOT");

enum { UNIT_NONE, UNIT_CPU_NS, UNIT_INSTRUCTIONS };
enum { OUTCOME_OK, OUTCOME_ERROR, OUTCOME_KILLED, OUTCOME_DISCONNECTED };
enum { KIND_HTTP };
#define NO_SLOT 255
/* trace._RANDOM: the part of a trace id that says whether its spans are kept. */
#define RANDOM_MASK (((uint64_t)1 << 56) - 1)

/* What the Python modules hand over: each name is a keyword of Core(). */
#define CORE_FIELDS(X) \
    X(current_process)  /* () -> Process or None */ \
    X(count_unrecorded) /* (): there is no process */ \
    X(current)          /* the ContextVar of the current request */ \
    X(modules)          /* sys.modules */ \
    X(in_greenlet)      /* () -> bool */ \
    X(trace_context)    /* (traceparent, random_bits, threshold) -> Trace */ \
    X(tracestate_of)    /* (trace, environ) -> str */ \
    X(dearest)          /* (statements) -> nine numbers */ \
    X(write_spans)      /* (request, outcome, wall_ns) */ \
    X(swallow)          /* (error): within except */ \
    X(random_bytes)     /* (count) -> bytes */

/* Texts that are looked up in every request. */
#define NAMES(X) \
    X(state) X(slot) X(group) X(native_id) X(seen) X(due) X(greenlet) \
    X(HTTP_TRACEPARENT) X(REQUEST_METHOD) X(_core) X(_application) X(_endpoint) X(_resolve) \
    X(close) X(status) X(read)

typedef struct {
    PyObject_HEAD
#define X(name) PyObject *name;
    CORE_FIELDS(X)
#undef X
    struct {
#define X(name) PyObject *name;
        NAMES(X)
#undef X
        PyObject *empty, *file_wrapper;
    } names;
    PyObject *request_type; /* subclass of Count that begin() makes */
    PyObject *failed;       /* (request, error): an error leaves the application */
    PyObject *is_file;      /* (response, environ) -> bool */
    PyObject *endpoint_name; /* (method, route) -> text */
    PyObject *ledger;       /* of the process that was current last */
    PyObject *count_type, *ledger_type, *start_type, *body_type, *sized_body_type;
    PyObject *iter, *next; /* builtins */
    uint64_t modules_version;
    char no_greenlet; /* among the modules of this version */
} Core;

/* What a thread had used at some time; `asked_ns`: when the kernel was asked for it. */
typedef struct {
    int64_t at_ns, cpu_ns, switches, asked_ns;
    unsigned long thread;
} Usage;

/* What a thread's state says: thread.c. */
typedef struct {
    uint64_t id;
    PyObject *state; /* borrowed from the thread */
    uint32_t native_id;
    int slot;
    char has_group;
} KnownThread;
#define KNOWN_THREADS 64

typedef struct {
    PyObject_HEAD
    PyObject *core, *process, *ring, *next_seq, *requests, *frames, *threads, *random_bits,
        *deep, *named; /* method -> route -> (endpoint, its frame, its string id) */
    Py_buffer memory;
    int64_t pid, started_monotonic_ns, slow_ns;
    uint64_t trace_threshold, random[4], deep_seen, deep_due; /* as Deep has them */
    PyObject *trace_threshold_number;
    Py_ssize_t slots_at, slot_count, records_at, record_count, written_at, control_at, named_count;
    volatile char *mark;      /* fork_mark_new() */
    ptrdiff_t stay_at;        /* stay_place() */
    Usage last_used[NO_SLOT]; /* by slot: when a request of its thread ended */
    KnownThread known_threads[KNOWN_THREADS];
    char keeps_threads; /* whether a thread is one of the system's, not a greenlet */
} Ledger;

typedef struct {
    PyObject_HEAD
    PyObject *ledger, *early_name, *frame, *flags, *group, *before, *statements, *status_line,
        *thread, *tracestate, *calls, *deep, *routing,
        *named_before;
    Usage asked; /* newest reading: before naming, later if that took long, at the end */
    int64_t before_ns, named_before_ns, named_from_ns, started_ns, started_monotonic_ns;
    int64_t db_ns, db_calls, cache_ns, cache_calls, rpc_ns, rpc_calls, gc_ns, switches;
    uint64_t trace[5], user_hash, error_fp, number;
    unsigned long thread_ident;
    uint32_t endpoint_id, error_id, native_id;
    int kind, slot;
    char ended, running, countable, naming;
} Count;

/* core.c */
extern PyType_Spec core_spec, ledger_spec;
Ledger *core_ledger(Core *core); /* borrowed; NULL without an error: stay silent */
int is_core(PyObject *object);
int ledger_read_plan(Ledger *ledger);
void ledger_write(Ledger *ledger, const Record *record, uint64_t seq);
void ledger_begin(Ledger *ledger, int slot, const Slot *fields);
void ledger_end(Ledger *ledger, int slot);
uint64_t ledger_random(Ledger *ledger);
/* Hands the current error to swallow(); 0 if it is dealt with, -1 if one is to be raised. */
int core_swallow(Core *core);

/* crc32.c */
uint32_t fast_crc32(const void *data, size_t length);
void fast_crc32_init(void);

/* begin.c */
enum { NAMED_WHOLE, NAMED_BY_ROUTE };
/* `namer(environ)` gives (endpoint or its route, by `named`; Request.routing); `thread`: a state in
 * the place of this thread's, or NULL. */
PyObject *count_begin(Core *core, int kind, PyObject *namer, int named, PyObject *environ,
                      PyObject *thread);

/* request.c */
extern PyType_Spec count_spec;
void count_naming(Count *self);
int count_end(Count *self, int outcome);
int count_status(const Count *self);

/* thread.c */
int count_take_thread(Count *self, Ledger *ledger, PyObject *state);
Usage usage_since(const Ledger *ledger, const Usage *before);
volatile char *fork_mark_new(void);
void fork_mark_free(volatile char *mark);
int ledger_is_own(const Ledger *ledger);
Usage *ledger_last_used(Ledger *ledger, int slot); /* NULL: the slot is none */

/* stay.c: of the calling thread, `at` as stay_place() gave it, not 0. */
ptrdiff_t stay_place(void);
void stay_begin(ptrdiff_t at);
int stay_holds(ptrdiff_t at); /* it was neither switched nor signalled since */

/* clock.c */
extern PyType_Spec clock_spec;

/* middleware.c */
extern PyType_Spec caller_spec, start_spec, body_spec, sized_body_spec;

/* routes.c, steps.c */
extern PyType_Spec routes_spec, answer_spec, taking_spec, entering_spec;

/* A number that is mostly small, quickly; with an error set where it does not fit. */
static inline uint64_t number_in(PyObject *number) {
    Py_ssize_t small = PyLong_AsSsize_t(number);
    if (small >= 0) return (uint64_t)small;
    PyErr_Clear();
    return PyLong_AsUnsignedLongLong(number);
}

/* Whether a dictionary is what it was when it was asked of last; CPython 3.12 and later do not tell. */
static inline int is_unchanged(PyObject *dict, uint64_t *version) {
#if PY_VERSION_HEX < 0x030C0000
    uint64_t before = *version;
    *version = ((PyDictObject *)dict)->ma_version_tag;
    return *version == before;
#else
    return 0;
#endif
}

static inline int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline uint64_t not_negative(int64_t number) { return number > 0 ? (uint64_t)number : 0; }

static inline uint32_t at_most_u32(int64_t number) {
    return number <= 0 ? 0 : number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

/* As getattr() with a default: 1 with a new reference, 0: it is not there, -1: an error. */
static inline int attribute_if_any(PyObject *object, PyObject *name, PyObject **value) {
#if PY_VERSION_HEX >= 0x030D0000
    return PyObject_GetOptionalAttr(object, name, value);
#else
    return _PyObject_LookupAttr(object, name, value);
#endif
}

static inline PyObject *new_reference(PyObject *object) {
    Py_XINCREF(object);
    return object;
}

#endif
