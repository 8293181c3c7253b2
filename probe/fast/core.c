/* Core: what Python handed over. Ledger: one process's ring. */
#include "fast.h"

#include <string.h>

/* --- Ledger ----------------------------------------------------------------------------------- */

#define LEDGER_OBJECTS(X) \
    X(core) X(process) X(ring) X(next_seq) X(requests) X(frames) X(threads) X(random_bits) \
    X(trace_threshold_number) X(deep) X(named)

static int ledger_traverse(Ledger *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
#define X(name) Py_VISIT(self->name);
    LEDGER_OBJECTS(X)
#undef X
    return 0;
}

static int ledger_clear(Ledger *self) {
#define X(name) Py_CLEAR(self->name);
    LEDGER_OBJECTS(X)
#undef X
    return 0;
}

static void ledger_dealloc(Ledger *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->memory.obj != NULL) PyBuffer_Release(&self->memory);
    fork_mark_free(self->mark);
    ledger_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* An attribute as a number that fits; -1 with an error set otherwise. */
static int64_t number_of(PyObject *object, const char *name) {
    PyObject *value = PyObject_GetAttrString(object, name);
    if (value == NULL) return -1;
    int64_t number = PyLong_AsLongLong(value);
    Py_DECREF(value);
    return number;
}

static int ledger_check(const Ledger *self) {
    Py_ssize_t length = self->memory.len;
    if (self->slots_at < 0 || self->slot_count < 0 || self->slot_count > NO_SLOT ||
        self->records_at < 0 || self->record_count < 1 || self->written_at < 0 ||
        self->written_at > length - 8 || self->control_at < 0 || self->control_at > length - 8 ||
        self->slots_at > length - self->slot_count * (Py_ssize_t)sizeof(Slot) ||
        self->record_count > (length - self->records_at) / RECORD_BYTES) {
        PyErr_SetString(PyExc_ValueError, "the ring's parts do not fit into its memory");
        return -1;
    }
    return 0;
}

static int ledger_fill_numbers(Ledger *self) {
    PyObject *places = PyObject_CallMethod(self->ring, "places", NULL);
    if (places == NULL) return -1;
    int parsed = PyArg_ParseTuple(places, "nnnnnn", &self->slots_at, &self->slot_count,
                                  &self->records_at, &self->record_count, &self->written_at,
                                  &self->control_at);
    Py_DECREF(places);
    if (!parsed || ledger_check(self) < 0) return -1;
    self->pid = number_of(self->process, "pid");
    self->started_monotonic_ns = number_of(self->process, "started_monotonic_ns");
    self->slow_ns = number_of(self->process, "slow_ns");
    if (PyErr_Occurred()) return -1;
    self->trace_threshold_number = PyObject_GetAttrString(self->process, "trace_threshold");
    if (self->trace_threshold_number == NULL) return -1;
    self->trace_threshold = PyLong_AsUnsignedLongLong(self->trace_threshold_number);
    return PyErr_Occurred() ? -1 : 0;
}

static int ledger_fill_random(Ledger *self) {
    Core *core = (Core *)self->core;
    PyObject *seed = PyObject_CallFunction(core->random_bytes, "i", (int)sizeof self->random);
    if (seed == NULL) return -1;
    if (!PyBytes_Check(seed) || PyBytes_GET_SIZE(seed) != sizeof self->random) {
        Py_DECREF(seed);
        PyErr_SetString(PyExc_ValueError, "random_bytes() gave something else");
        return -1;
    }
    memcpy(self->random, PyBytes_AS_STRING(seed), sizeof self->random);
    self->random[0] |= 1; /* never all zero */
    Py_DECREF(seed);
    return 0;
}

/* Takes over what Deep has planned; only Deep.begin changes it to something sooner. */
int ledger_read_plan(Ledger *self) {
    Core *core = (Core *)self->core;
    PyObject *seen = PyObject_GetAttr(self->deep, core->names.seen);
    PyObject *due = seen == NULL ? NULL : PyObject_GetAttr(self->deep, core->names.due);
    if (due != NULL) {
        self->deep_seen = number_in(seen);
        self->deep_due = number_in(due);
    }
    Py_XDECREF(seen);
    Py_XDECREF(due);
    return PyErr_Occurred() ? -1 : 0;
}

static Ledger *ledger_of(Core *core, PyObject *process) {
    PyTypeObject *type = (PyTypeObject *)core->ledger_type;
    Ledger *self = (Ledger *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    PyObject *memory = NULL;
    self->core = new_reference((PyObject *)core);
    self->process = new_reference(process);
    self->mark = fork_mark_new();
    if (self->mark != NULL) self->stay_at = stay_place(); /* else this may be no real kernel */
    if ((self->named = PyDict_New()) == NULL ||
        (self->ring = PyObject_GetAttrString(process, "ring")) == NULL ||
        (self->requests = PyObject_GetAttrString(process, "requests")) == NULL ||
        (self->random_bits = PyObject_GetAttrString(process, "random_bits")) == NULL ||
        (self->frames = PyObject_GetAttrString(process, "_frames")) == NULL ||
        (self->threads = PyObject_GetAttrString(process, "_threads")) == NULL ||
        (self->deep = PyObject_GetAttrString(process, "deep")) == NULL ||
        (self->next_seq = PyObject_GetAttrString(self->ring, "_next_seq")) == NULL ||
        (memory = PyObject_GetAttrString(self->ring, "_memory")) == NULL ||
        PyObject_GetBuffer(memory, &self->memory, PyBUF_WRITABLE) < 0 ||
        ledger_fill_numbers(self) < 0 || ledger_fill_random(self) < 0 ||
        ledger_read_plan(self) < 0)
        Py_CLEAR(self);
    else if (!PyDict_Check(self->frames) || !PyIter_Check(self->next_seq) ||
             !PyIter_Check(self->requests)) {
        PyErr_SetString(PyExc_TypeError, "a process of another make");
        Py_CLEAR(self);
    }
    Py_XDECREF(memory);
    if (self != NULL)
        self->keeps_threads = strcmp(Py_TYPE(self->threads)->tp_name, "_thread._local") == 0;
    return self;
}

void ledger_write(Ledger *self, const Record *record, uint64_t seq) {
    char *memory = self->memory.buf;
    unsigned char bytes[PREFIX_SIZE + sizeof *record];
    uint32_t crc = fast_crc32(record, sizeof *record);
    uint64_t written;
    memcpy(bytes, &seq, 8);
    memcpy(bytes + 8, &crc, 4);
    memcpy(bytes + PREFIX_SIZE, record, sizeof *record);
    Py_ssize_t number = (Py_ssize_t)(seq % (uint64_t)self->record_count);
    memcpy(memory + self->records_at + number * RECORD_BYTES, bytes, sizeof bytes);
    memcpy(&written, memory + self->written_at, 8);
    if (seq > written) memcpy(memory + self->written_at, &seq, 8);
}

void ledger_begin(Ledger *self, int slot, const Slot *fields) {
    if (slot < 0 || slot >= self->slot_count) return;
    memcpy((char *)self->memory.buf + self->slots_at + slot * (Py_ssize_t)sizeof *fields, fields,
           sizeof *fields);
}

void ledger_end(Ledger *self, int slot) {
    if (slot < 0 || slot >= self->slot_count) return;
    memset((char *)self->memory.buf + self->slots_at + slot * (Py_ssize_t)sizeof(Slot), 0, 4);
}

static inline uint64_t rotated(uint64_t x, int by) { return x << by | x >> (64 - by); }

/* xoshiro256** (Blackman, Vigna): ids that do not meet, not secrets. Never 0. */
uint64_t ledger_random(Ledger *self) {
    uint64_t *s = self->random, result = rotated(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotated(s[3], 45);
    return result ? result : 1;
}

static PyType_Slot ledger_slots[] = {
    {Py_tp_dealloc, ledger_dealloc},
    {Py_tp_traverse, ledger_traverse},
    {Py_tp_clear, ledger_clear},
    {0, NULL},
};

PyType_Spec ledger_spec = {
    .name = "dynoscope_probe._fast.Ledger",
    .basicsize = sizeof(Ledger),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = ledger_slots,
};

/* --- Core ------------------------------------------------------------------------------------- */

#define CORE_OBJECTS(X) \
    CORE_FIELDS(X) \
    X(request_type) X(failed) X(is_file) X(endpoint_name) X(ledger) X(count_type) X(ledger_type) \
    X(start_type) X(body_type) X(sized_body_type) \
    X(iter) X(next)

static int core_traverse(Core *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
#define X(name) Py_VISIT(self->name);
    CORE_OBJECTS(X)
#undef X
    return 0;
}

static int core_clear(Core *self) {
#define X(name) Py_CLEAR(self->name);
    CORE_OBJECTS(X)
#undef X
    return 0;
}

/* Texts stay while the object does: code that still runs finds them. */
static void core_clear_names(Core *self) {
#define X(name) Py_CLEAR(self->names.name);
    NAMES(X)
#undef X
    Py_CLEAR(self->names.empty);
    Py_CLEAR(self->names.file_wrapper);
}

static int core_fill_names(Core *self) {
#define X(name) \
    if ((self->names.name = PyUnicode_InternFromString(#name)) == NULL) return -1;
    NAMES(X)
#undef X
    self->names.empty = PyUnicode_InternFromString("");
    self->names.file_wrapper = PyUnicode_InternFromString("wsgi.file_wrapper");
    return self->names.empty == NULL || self->names.file_wrapper == NULL ? -1 : 0;
}

static void core_dealloc(Core *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    core_clear(self);
    core_clear_names(self);
    type->tp_free(self);
    Py_DECREF(type);
}

int is_core(PyObject *object) {
    return Py_TYPE(object)->tp_dealloc == (destructor)core_dealloc;
}

static PyObject *from_module(PyTypeObject *type, const char *name) {
    PyObject *module = PyType_GetModule(type);
    return module == NULL ? NULL : PyObject_GetAttrString(module, name);
}

static PyObject *core_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    static char *names[] = {
#define X(name) #name,
        CORE_FIELDS(X)
#undef X
        NULL};
    Core *self = (Core *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    PyObject *builtins = PyEval_GetBuiltins(); /* borrowed */
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "$OOOOOOOOOOO:Core", names
#define X(name) , &self->name
                                     CORE_FIELDS(X)
#undef X
                                         )) {
#define X(name) self->name = NULL; /* borrowed so far */
        CORE_FIELDS(X)
#undef X
        Py_DECREF(self);
        return NULL;
    }
#define X(name) Py_INCREF(self->name);
    CORE_FIELDS(X)
#undef X
    self->iter = new_reference(PyDict_GetItemString(builtins, "iter"));
    self->next = new_reference(PyDict_GetItemString(builtins, "next"));
    self->count_type = from_module(type, "Count");
    self->ledger_type = from_module(type, "Ledger");
    self->start_type = from_module(type, "Start");
    self->body_type = from_module(type, "Body");
    self->sized_body_type = from_module(type, "SizedBody");
    if (core_fill_names(self) < 0 || !self->count_type || !self->ledger_type || !self->start_type || !self->body_type || !self->sized_body_type ||
        !self->iter || !self->next ||
        !PyDict_Check(self->modules) || !PyContextVar_CheckExact(self->current)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "Core() was given something else");
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

Ledger *core_ledger(Core *self) {
    Ledger *ledger = (Ledger *)self->ledger;
    if (ledger != NULL && ledger_is_own(ledger)) return ledger; /* a process keeps its ring */
    PyObject *process = PyObject_CallObject(self->current_process, NULL);
    if (process == NULL) return NULL;
    ledger = (Ledger *)self->ledger; /* Python code has run in between */
    if (process != Py_None && (ledger == NULL || ledger->process != process)) {
        ledger = ledger_of(self, process);
        if (ledger != NULL) {
            PyObject *old = self->ledger;
            self->ledger = (PyObject *)ledger;
            Py_XDECREF(old);
        }
    } else if (process == Py_None)
        ledger = NULL;
    Py_DECREF(process);
    return ledger;
}

int core_swallow(Core *self) {
    PyObject *type, *value, *traceback;
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return -1;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) PyException_SetTraceback(value, traceback);
    PyObject *args[] = {value};
    PyObject *done = PyObject_Vectorcall(self->swallow, args, 1, NULL);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *core_begin(Core *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 3 && count != 4) {
        PyErr_Format(PyExc_TypeError, "begin() takes 3 or 4 arguments, got %zd", count);
        return NULL;
    }
    long kind = PyLong_AsLong(args[0]);
    if (kind == -1 && PyErr_Occurred()) return NULL;
    PyObject *thread = count == 4 && args[3] != Py_None ? args[3] : NULL;
    return count_begin(self, (int)kind, args[1], NAMED_WHOLE, args[2], thread);
}

static PyObject *core_forget(Core *self, PyObject *unused) {
    Py_CLEAR(self->ledger);
    Py_RETURN_NONE;
}

static PyMethodDef core_methods[] = {
    {"forget", (PyCFunction)core_forget, METH_NOARGS, "Let go of the process: for tests."},
    {"begin", (PyCFunction)(void (*)(void))core_begin, METH_FASTCALL,
     "begin(kind, endpoint, environ, thread=None): as request.begin_request."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef core_members[] = {
    {"request_type", T_OBJECT, offsetof(Core, request_type), 0, "What begin() makes."},
    {"failed", T_OBJECT, offsetof(Core, failed), 0, "failed(request, error)"},
    {"endpoint_name", T_OBJECT, offsetof(Core, endpoint_name), 0, "endpoint_name(method, route)"},
    {"is_file", T_OBJECT, offsetof(Core, is_file), 0, "is_file(response, environ)"},
    {"body_type", T_OBJECT, offsetof(Core, body_type), 0, NULL},
    {"sized_body_type", T_OBJECT, offsetof(Core, sized_body_type), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot core_slots[] = {
    {Py_tp_new, core_new},           {Py_tp_dealloc, core_dealloc}, {Py_tp_traverse, core_traverse},
    {Py_tp_clear, core_clear},       {Py_tp_methods, core_methods}, {Py_tp_members, core_members},
    {0, NULL},
};

PyType_Spec core_spec = {
    .name = "dynoscope_probe._fast.Core",
    .basicsize = sizeof(Core),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = core_slots,
};
