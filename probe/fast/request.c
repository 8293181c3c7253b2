/* Count: the numbers of one request while it runs, and its record at the end (request.py). */
#include "fast.h"

#include <string.h>

#define COUNT_OBJECTS(X) \
    X(ledger) X(early_name) X(frame) X(flags) X(group) X(before) X(statements) X(status_line) \
    X(thread) X(tracestate) X(calls) X(deep) X(routing) \
    X(named_before)

/* --- end -------------------------------------------------------------------------------------- */

int count_status(const Count *self) {
    PyObject *line = self->status_line;
    int status = 0;
    if (line == NULL || !PyUnicode_Check(line) || PyUnicode_READY(line) < 0) {
        PyErr_Clear();
        return 0;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(line);
    int kind = PyUnicode_KIND(line);
    const void *data = PyUnicode_DATA(line);
    for (Py_ssize_t n = 0; n < 3 && n < length; n++) {
        Py_UCS4 digit = PyUnicode_READ(kind, data, n);
        if (digit < '0' || digit > '9') return 0;
        status = status * 10 + (int)(digit - '0');
    }
    return status;
}

/* Fills unit, cost, task clock and context switches, in which `spent` is what Python gave. */
static int take_spent(Record *record, PyObject *spent) {
    unsigned long long cost, clock, switches;
    int unit;
    if (spent == NULL) return -1;
    int taken = PyTuple_Check(spent) && PyArg_ParseTuple(spent, "iKKK", &unit, &cost, &clock, &switches);
    Py_DECREF(spent);
    if (!taken) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "a reading of another make");
        return -1;
    }
    record->unit = (uint8_t)unit;
    record->cost = cost;
    record->task_clock_ns = clock;
    record->ctx_switches = switches > UINT32_MAX ? UINT32_MAX : (uint32_t)switches;
    return 0;
}

static int measure(Count *self, Ledger *ledger, Record *record) {
    if (!self->countable || PyThread_get_thread_ident() != self->thread_ident) return 0;
    if (self->group == Py_None) {
        Usage *last = ledger_last_used(ledger, self->slot);
        self->asked = usage_since(ledger, &self->asked);
        if (last != NULL) *last = self->asked;
        record->unit = UNIT_CPU_NS;
        record->cost = record->task_clock_ns = not_negative(self->asked.cpu_ns - self->before_ns);
        record->ctx_switches = at_most_u32(self->asked.switches - self->switches);
        return 0;
    }
    if (self->group == NULL || self->before == NULL) return 0;
    if (take_spent(record, PyObject_CallMethod(self->group, "since", "O", self->before)) < 0)
        return -1;
    if (record->unit == UNIT_INSTRUCTIONS) return 0;
    PyObject *done = PyObject_CallMethod(ledger->ring, "count", "s", "counter_multiplexed");
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int take_statements(Count *self, Core *core, Record *record) {
    if (self->statements == NULL || self->statements == Py_None) return 0;
    PyObject *args[] = {self->statements};
    PyObject *found = PyObject_Vectorcall(core->dearest, args, 1, NULL);
    PyObject *nine = found == NULL ? NULL : PySequence_Tuple(found);
    Py_XDECREF(found);
    if (nine == NULL) return -1;
    if (PyTuple_GET_SIZE(nine) != 9) PyErr_SetString(PyExc_ValueError, "statements: not nine");
    for (int n = 0; n < 9 && !PyErr_Occurred(); n++) {
        int64_t number = PyLong_AsLongLong(PyTuple_GET_ITEM(nine, n));
        if (n < 6) record->statements[n] = at_most_u32(number);
        else record->statement_ns[n - 6] = not_negative(number);
    }
    Py_DECREF(nine);
    return PyErr_Occurred() ? -1 : 0;
}

static int take_flags(Count *self, Record *record) {
    if (self->flags == NULL || self->flags == Py_None) return 0;
    PyObject *number = PyObject_CallMethod((PyObject *)self, "_flags_id", "O", self->flags);
    if (number == NULL) return -1;
    record->flags_id = at_most_u32(PyLong_AsLongLong(number));
    Py_DECREF(number);
    return PyErr_Occurred() ? -1 : 0;
}

static int fill_record(Count *self, Ledger *ledger, Record *record) {
    record->kind = (uint8_t)self->kind;
    record->trace_sampled = (uint8_t)self->trace[2];
    record->status = (uint16_t)count_status(self);
    record->started_ns = not_negative(self->started_ns);
    record->worker_req = (uint32_t)self->number;
    record->endpoint_id = self->endpoint_id;
    record->error_id = self->error_id;
    record->worker_age_s =
        at_most_u32((self->started_monotonic_ns - ledger->started_monotonic_ns) / 1000000000);
    record->db_ns = not_negative(self->db_ns);
    record->cache_ns = not_negative(self->cache_ns);
    record->rpc_ns = not_negative(self->rpc_ns);
    record->gc_ns = not_negative(self->gc_ns);
    record->db_calls = at_most_u32(self->db_calls);
    record->cache_calls = at_most_u32(self->cache_calls);
    record->rpc_calls = at_most_u32(self->rpc_calls);
    record->trace_id_high = self->trace[0];
    record->trace_id_low = self->trace[1];
    record->span_id = self->trace[4];
    record->user_hash = self->user_hash;
    record->error_fp = self->error_fp;
    record->thread_slot = (uint8_t)self->slot;
    return take_statements(self, (Core *)ledger->core, record) < 0 || take_flags(self, record) < 0;
}

static int forget_current(Count *self, Core *core) {
    PyObject *now = NULL;
    if (PyContextVar_Get(core->current, NULL, &now) < 0) return -1;
    int mine = now == (PyObject *)self;
    Py_XDECREF(now);
    if (!mine) return 0;
    PyObject *token = PyContextVar_Set(core->current, Py_None);
    Py_XDECREF(token);
    return token == NULL ? -1 : 0;
}

static int store(Ledger *ledger, const Record *record) {
    PyObject *number = PyIter_Next(ledger->next_seq);
    if (number == NULL) return -1;
    uint64_t seq = number_in(number);
    Py_DECREF(number);
    if (PyErr_Occurred()) return -1;
    ledger_write(ledger, record, seq);
    return 0;
}

/* What goes beside the record: spans, the profile. */
static int write_details(Count *self, Ledger *ledger, const Record *record) {
    Core *core = (Core *)ledger->core;
    if (self->trace[2] || record->outcome == OUTCOME_ERROR ||
        (int64_t)record->wall_ns > ledger->slow_ns) {
        PyObject *done = PyObject_CallFunction(core->write_spans, "OiK", self, record->outcome,
                                               (unsigned long long)record->wall_ns);
        if (done == NULL) return -1;
        Py_DECREF(done);
    }
    if (self->deep != NULL && self->deep != Py_None) {
        PyObject *done = PyObject_CallMethod(self->deep, "write", NULL);
        if (done == NULL) return -1;
        Py_DECREF(done);
    }
    return 0;
}

static int finish(Count *self, Ledger *ledger, int outcome) {
    Core *core = (Core *)ledger->core;
    Record record;
    memset(&record, 0, sizeof record);
    record.outcome = (uint8_t)outcome;
    if (measure(self, ledger, &record) < 0 || forget_current(self, core) < 0) return -1;
    record.wall_ns = not_negative(clock_ns(CLOCK_MONOTONIC) - self->started_monotonic_ns);
    if (fill_record(self, ledger, &record) || store(ledger, &record) < 0 ||
        write_details(self, ledger, &record) < 0)
        return -1;
    if (self->slot != NO_SLOT) ledger_end(ledger, self->slot);
    return 0;
}

/* Writes the record, once. -1 with an error only where swallow() raises, in tests. */
int count_end(Count *self, int outcome) {
    if (self->ended) return 0;
    self->ended = 1;
    Ledger *ledger = (Ledger *)self->ledger;
    if (ledger == NULL || !ledger_is_own(ledger)) return 0; /* forked in mid-request */
    Py_INCREF(self);
    Py_INCREF(ledger);
    int done = finish(self, ledger, outcome);
    if (done < 0) done = core_swallow((Core *)ledger->core);
    Py_CLEAR(self->calls); /* they hold the request: it is not left to the garbage collector */
    Py_DECREF(ledger);
    Py_DECREF(self);
    return done;
}

static PyObject *end_method(Count *self, PyObject *outcome) {
    long number = PyLong_AsLong(outcome);
    if (number == -1 && PyErr_Occurred()) return NULL;
    return count_end(self, (int)number) < 0 ? NULL : new_reference(Py_None);
}

/* --- the type --------------------------------------------------------------------------------- */

static int count_traverse(Count *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
#define X(name) Py_VISIT(self->name);
    COUNT_OBJECTS(X)
#undef X
    return 0;
}

static int count_clear(Count *self) {
    self->ended = 1; /* without its ledger nothing can be written */
#define X(name) Py_CLEAR(self->name);
    COUNT_OBJECTS(X)
#undef X
    return 0;
}

static void count_dealloc(Count *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    count_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *get_process(Count *self, void *closure) {
    Ledger *ledger = (Ledger *)self->ledger;
    return new_reference(ledger == NULL || ledger->process == NULL ? Py_None : ledger->process);
}

static PyObject *get_trace(Count *self, void *closure) {
    const uint64_t *t = self->trace;
    return Py_BuildValue("(KKKKK)", t[0], t[1], t[2], t[3], t[4]);
}

static PyObject *get_status(Count *self, void *closure) {
    return PyLong_FromLong(count_status(self));
}

static PyObject *get_calls(Count *self, void *closure) {
    if (self->calls == NULL) self->calls = PyList_New(0);
    return new_reference(self->calls);
}

/* What the counter read when the count began: a number of ns, or the group's reading. */
static PyObject *get_before(Count *self, void *closure) {
    if (self->before != NULL) return new_reference(self->before);
    return PyLong_FromLongLong(self->before_ns);
}

static int set_before(Count *self, PyObject *value, void *closure) {
    if (value != NULL && PyLong_Check(value)) {
        int64_t ns = PyLong_AsLongLong(value);
        if (ns == -1 && PyErr_Occurred()) return -1;
        self->before_ns = ns;
        Py_CLEAR(self->before);
        return 0;
    }
    PyObject *old = self->before;
    self->before = new_reference(value);
    Py_XDECREF(old);
    return 0;
}

static PyGetSetDef count_getset[] = {
    {"before", (getter)get_before, (setter)set_before, NULL, NULL},
    {"process", (getter)get_process, NULL, NULL, NULL},
    {"trace", (getter)get_trace, NULL, NULL, NULL},
    {"status", (getter)get_status, NULL, "Status of the response, 0 while there is none.", NULL},
    {"calls", (getter)get_calls, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define OBJECT(name) {#name, T_OBJECT, offsetof(Count, name), 0, NULL}
#define SIGNED(name) {#name, T_LONGLONG, offsetof(Count, name), 0, NULL}
static PyMemberDef members[] = {
    OBJECT(early_name), OBJECT(frame), OBJECT(flags), OBJECT(group), OBJECT(routing),
    OBJECT(statements), OBJECT(status_line), OBJECT(thread), OBJECT(tracestate), OBJECT(deep),
    SIGNED(started_ns), SIGNED(started_monotonic_ns), SIGNED(db_ns), SIGNED(db_calls),
    SIGNED(cache_ns), SIGNED(cache_calls), SIGNED(rpc_ns), SIGNED(rpc_calls), SIGNED(gc_ns),
    SIGNED(switches),
    {"user_hash", T_ULONGLONG, offsetof(Count, user_hash), 0, NULL},
    {"error_fp", T_ULONGLONG, offsetof(Count, error_fp), 0, NULL},
    {"number", T_ULONGLONG, offsetof(Count, number), 0, NULL},
    {"endpoint_id", T_UINT, offsetof(Count, endpoint_id), 0, NULL},
    {"error_id", T_UINT, offsetof(Count, error_id), 0, NULL},
    {"kind", T_INT, offsetof(Count, kind), 0, NULL},
    {"naming", T_BOOL, offsetof(Count, naming), READONLY, NULL},
    {"ended", T_BOOL, offsetof(Count, ended), 0, NULL},
    {"running", T_BOOL, offsetof(Count, running), 0, NULL},
    {"countable", T_BOOL, offsetof(Count, countable), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

void count_naming(Count *self) {
    if (!self->naming) return;
    self->naming = 0;
    self->started_ns -= self->started_monotonic_ns - self->named_from_ns;
    self->started_monotonic_ns = self->named_from_ns;
    self->before_ns = self->named_before_ns;
    Py_XSETREF(self->before, new_reference(self->named_before));
}

static PyObject *naming_method(Count *self, PyObject *unused) {
    count_naming(self);
    Py_RETURN_NONE;
}

static PyMethodDef count_methods[] = {
    {"count_naming", (PyCFunction)naming_method, METH_NOARGS,
     "Finding the name did the application's work: it is counted, though it came before."},
    {"end", (PyCFunction)end_method, METH_O, "Write the record, once. Never raises."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot count_slots[] = {
    {Py_tp_dealloc, count_dealloc}, {Py_tp_traverse, count_traverse},
    {Py_tp_clear, count_clear},     {Py_tp_getset, count_getset},
    {Py_tp_members, members},       {Py_tp_methods, count_methods},
    {0, NULL},
};

PyType_Spec count_spec = {
    .name = "dynoscope_probe._fast.Count",
    .basicsize = sizeof(Count),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = count_slots,
};
