/* How the count of a request begins (request.py). */
#include "fast.h"

#include <string.h>

#define UNINTERRUPTED_NS 20000
/* Routes whose endpoints are kept at hand. */
#define NAMED_MAX 4096

/* --- begin ------------------------------------------------------------------------------------ */

/* Frame and string id of an endpoint, as Process.endpoint gives them. 1: they are its own and will
 * stay; 0: they are not, as past the limit of endpoints. */
static int take_endpoint(Count *self, Ledger *ledger, PyObject *name) {
    PyObject *known = PyDict_GetItemWithError(ledger->frames, name);
    if (known == NULL && PyErr_Occurred()) return -1;
    int kept = known != NULL;
    Py_XINCREF(known);
    if (known == NULL) known = PyObject_CallMethod(ledger->process, "endpoint", "O", name);
    if (known == NULL) return -1;
    int taken = PyArg_ParseTuple(known, "OI", &self->frame, &self->endpoint_id);
    if (taken) Py_INCREF(self->frame);
    else self->frame = NULL;
    Py_DECREF(known);
    return taken ? kept : -1;
}

/* The caller's trace, told by Python; `traceparent` is a borrowed header value. */
static int take_callers_trace(Count *self, Ledger *ledger, PyObject *traceparent,
                              PyObject *environ) {
    Core *core = (Core *)ledger->core;
    PyObject *trace = PyObject_CallFunctionObjArgs(core->trace_context, traceparent,
                                                   ledger->random_bits,
                                                   ledger->trace_threshold_number, NULL);
    if (trace == NULL) return -1;
    uint64_t *t = self->trace;
    int taken = PyTuple_Check(trace) && PyTuple_GET_SIZE(trace) == 5;
    for (int n = 0; taken && n < 5; n++)
        t[n] = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(trace, n));
    if (taken && !PyErr_Occurred())
        self->tracestate = PyObject_CallFunctionObjArgs(core->tracestate_of, trace, environ, NULL);
    else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "a trace of another make");
    Py_DECREF(trace);
    return self->tracestate == NULL ? -1 : 0;
}

static int take_trace(Count *self, Ledger *ledger, PyObject *environ) {
    Core *core = (Core *)ledger->core;
    PyObject *traceparent = NULL;
    if (PyDict_CheckExact(environ)) {
        traceparent = PyDict_GetItemWithError(environ, core->names.HTTP_TRACEPARENT);
        if (traceparent == NULL && PyErr_Occurred()) return -1;
        Py_XINCREF(traceparent);
    } else {
        traceparent = PyObject_CallMethod(environ, "get", "O", core->names.HTTP_TRACEPARENT);
        if (traceparent == NULL) return -1;
    }
    int there = traceparent == NULL ? 0 : PyObject_IsTrue(traceparent);
    if (there > 0) there = take_callers_trace(self, ledger, traceparent, environ) < 0 ? -1 : 1;
    Py_XDECREF(traceparent);
    if (there) return there < 0 ? -1 : 0;
    self->trace[0] = ledger_random(ledger);
    self->trace[1] = ledger_random(ledger);
    self->trace[2] = (self->trace[1] & RANDOM_MASK) < ledger->trace_threshold;
    self->trace[3] = 0;
    self->trace[4] = ledger_random(ledger);
    self->tracestate = new_reference(core->names.empty);
    return 0;
}

static void mark_in_flight(Count *self, Ledger *ledger) {
    if (self->slot == NO_SLOT) return;
    Slot fields = {
        .busy = 1,
        .thread_id = self->native_id,
        .started_ns = (uint64_t)self->started_ns,
        .started_monotonic_ns = (uint64_t)self->started_monotonic_ns,
        .endpoint_id = self->endpoint_id,
        .kind = (uint32_t)self->kind,
        .trace_id_high = self->trace[0],
        .trace_id_low = self->trace[1],
    };
    ledger_begin(ledger, self->slot, &fields);
}

/* Whether other requests may run on this thread before this one ends. */
static int take_countable(Count *self, Core *core) {
    self->countable = 1;
    if (is_unchanged(core->modules, &core->modules_version) && core->no_greenlet) return 0;
    PyObject *greenlet = PyDict_GetItemWithError(core->modules, core->names.greenlet);
    if (greenlet == NULL && PyErr_Occurred()) return -1;
    core->no_greenlet = greenlet == NULL;
    if (core->no_greenlet) return 0;
    PyObject *inside = PyObject_CallObject(core->in_greenlet, NULL);
    int is = inside == NULL ? -1 : PyObject_IsTrue(inside);
    Py_XDECREF(inside);
    self->countable = !is;
    return is < 0 ? -1 : 0;
}

/* A request whose turn it is gets a profile: see deep.py. */
static int ask_for_profile(Count *self, Ledger *ledger) {
    uint64_t control;
    memcpy(&control, (char *)ledger->memory.buf + ledger->control_at, 8);
    if (control == ledger->deep_seen && self->number < ledger->deep_due) return 0;
    PyObject *done = PyObject_CallMethod(ledger->deep, "begin", "O", self);
    Py_XDECREF(done);
    return done == NULL ? -1 : ledger_read_plan(ledger);
}

static int read_group(Count *self, PyObject **reading) {
    PyObject *old = *reading;
    *reading = PyObject_CallMethod(self->group, "read", NULL);
    Py_XDECREF(old);
    return *reading == NULL ? -1 : 0;
}

static int read_before_naming(Count *self, Ledger *ledger) {
    if (self->group != Py_None) {
        self->named_from_ns = clock_ns(CLOCK_MONOTONIC);
        return read_group(self, &self->named_before);
    }
    self->asked = usage_since(ledger, ledger_last_used(ledger, self->slot));
    self->named_from_ns = self->asked.at_ns;
    self->named_before_ns = self->asked.cpu_ns;
    return 0;
}

/* Takes what is known of a route from earlier requests: 1; 0: nothing is known; -1: an error. */
static int take_known(Count *self, Ledger *ledger, PyObject *method, PyObject *route) {
    PyObject *routes = PyDict_GetItemWithError(ledger->named, method);
    PyObject *known = routes == NULL ? NULL : PyDict_GetItemWithError(routes, route);
    if (known == NULL) return PyErr_Occurred() ? -1 : 0;
    self->early_name = new_reference(PyTuple_GET_ITEM(known, 0));
    self->frame = new_reference(PyTuple_GET_ITEM(known, 1));
    self->endpoint_id = (uint32_t)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(known, 2));
    return 1;
}

/* Names of a method that anyone can make up begin with a parenthesis: they are not kept. */
static int keep_known(Count *self, Ledger *ledger, PyObject *method, PyObject *route) {
    PyObject *name = self->early_name;
    if (ledger->named_count >= NAMED_MAX || PyUnicode_GET_LENGTH(name) == 0 ||
        PyUnicode_READ_CHAR(name, 0) == '(')
        return 0;
    PyObject *routes = PyDict_GetItemWithError(ledger->named, method);
    if (routes == NULL && PyErr_Occurred()) return -1;
    Py_XINCREF(routes);
    if (routes == NULL && (routes = PyDict_New()) != NULL &&
        PyDict_SetItem(ledger->named, method, routes) < 0)
        Py_CLEAR(routes);
    PyObject *known = Py_BuildValue("(OOI)", name, self->frame, self->endpoint_id);
    int kept = routes == NULL || known == NULL ? -1 : PyDict_SetItem(routes, route, known);
    Py_XDECREF(known);
    Py_XDECREF(routes);
    ledger->named_count++;
    return kept;
}

/* Takes a new reference as the name of the endpoint, with what goes with it. */
static int take_name(Count *self, Ledger *ledger, PyObject *name) {
    self->early_name = name;
    if (name == NULL) return -1;
    if (PyUnicode_Check(name)) return take_endpoint(self, ledger, name);
    PyErr_SetString(PyExc_TypeError, "endpoint(environ) is to give (text, routing)");
    return -1;
}

/* The endpoint's name by its route. */
static int take_route(Count *self, Ledger *ledger, PyObject *route, PyObject *environ) {
    Core *core = (Core *)ledger->core;
    if (core->endpoint_name == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "there is no endpoint_name()");
        return -1;
    }
    PyObject *method = PyDict_CheckExact(environ)
                           ? new_reference(PyDict_GetItemWithError(environ, core->names.REQUEST_METHOD))
                           : PyObject_GetItem(environ, core->names.REQUEST_METHOD);
    if (method == NULL) {
        if (!PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, core->names.REQUEST_METHOD);
        return -1;
    }
    int taken = take_known(self, ledger, method, route);
    if (taken == 0) {
        PyObject *args[] = {method, route};
        taken = take_name(self, ledger, PyObject_Vectorcall(core->endpoint_name, args, 2, NULL));
        if (taken > 0) taken = keep_known(self, ledger, method, route);
    }
    Py_DECREF(method);
    return taken < 0 ? -1 : 0;
}

/* Asks for the endpoint's name, and what Request.routing is to be. */
static int ask_name(Count *self, Ledger *ledger, PyObject *namer, int by, PyObject *environ) {
    PyObject *args[] = {environ};
    int taken = -1;
    if (read_before_naming(self, ledger) < 0) return -1;
    PyObject *named = PyObject_Vectorcall(namer, args, 1, NULL);
    if (named == NULL) return -1;
    if (PyTuple_CheckExact(named) && PyTuple_GET_SIZE(named) == 2) {
        PyObject *first = PyTuple_GET_ITEM(named, 0);
        self->routing = new_reference(PyTuple_GET_ITEM(named, 1));
        self->naming = self->routing != Py_None;
        taken = by == NAMED_BY_ROUTE ? take_route(self, ledger, first, environ)
                                     : take_name(self, ledger, new_reference(first));
    } else
        PyErr_SetString(PyExc_TypeError, "endpoint(environ) is to give (text, routing)");
    Py_DECREF(named);
    return taken < 0 ? -1 : 0;
}

/* Last, so that neither naming nor the probe's own work is counted.
 *
 * Naming mostly takes some microseconds, in which the thread is hardly ever interrupted: then the
 * time since the reading before it serves, which is known without a system call. */
static int begin_counting(Count *self) {
    if (self->group != Py_None) return read_group(self, &self->before);
    int64_t since_ns = self->started_monotonic_ns - self->named_from_ns;
    if (since_ns > UNINTERRUPTED_NS) {
        self->asked = usage_since((Ledger *)self->ledger, &self->asked);
        self->before_ns = self->asked.cpu_ns;
    } else
        self->before_ns = self->named_before_ns + since_ns;
    self->switches = self->asked.switches;
    return 0;
}

static int fill(Count *self, Ledger *ledger, int kind, PyObject *namer, int by, PyObject *environ,
                PyObject *thread) {
    Core *core = (Core *)ledger->core;
    self->ledger = new_reference((PyObject *)ledger);
    self->kind = kind;
    self->running = 1;
    self->status_line = new_reference(core->names.empty);
    if (count_take_thread(self, ledger, thread) < 0 || take_trace(self, ledger, environ) < 0 ||
        ask_name(self, ledger, namer, by, environ) < 0)
        return -1;
    PyObject *number = PyIter_Next(ledger->requests);
    if (number == NULL) return -1;
    self->number = number_in(number);
    Py_DECREF(number);
    PyObject *token = PyErr_Occurred() ? NULL : PyContextVar_Set(core->current, (PyObject *)self);
    if (token == NULL) return -1;
    Py_DECREF(token);
    if (take_countable(self, core) < 0 || ask_for_profile(self, ledger) < 0) return -1;
    self->started_ns = clock_ns(CLOCK_REALTIME);
    self->started_monotonic_ns = clock_ns(CLOCK_MONOTONIC);
    mark_in_flight(self, ledger);
    return begin_counting(self);
}

/* 1: count; 0: within another request; -1: an error. */
static int outer_has_ended(Core *core, Ledger *ledger) {
    PyObject *outer = NULL;
    int go_on = 1;
    if (PyContextVar_Get(core->current, NULL, &outer) < 0) return -1;
    if (outer != NULL && PyObject_TypeCheck(outer, (PyTypeObject *)core->request_type)) {
        Count *count = (Count *)outer;
        if (count->ledger == (PyObject *)ledger) {
            if (count->running && !count->ended) go_on = 0;
            else if (count_end(count, OUTCOME_DISCONNECTED) < 0) go_on = -1;
        }
    }
    Py_XDECREF(outer);
    return go_on;
}

static PyObject *begin(Core *core, int kind, PyObject *namer, int by, PyObject *environ,
                       PyObject *thread) {
    PyTypeObject *type = (PyTypeObject *)core->request_type;
    if (type == NULL || !PyType_Check(type) ||
        !PyType_IsSubtype(type, (PyTypeObject *)core->count_type)) {
        PyErr_SetString(PyExc_TypeError, "request_type is no Count");
        return NULL;
    }
    Ledger *ledger = core_ledger(core);
    if (ledger == NULL) return PyErr_Occurred() ? NULL : PyObject_CallObject(core->count_unrecorded, NULL);
    Py_INCREF(ledger);
    Count *self = NULL;
    int go_on = outer_has_ended(core, ledger);
    if (go_on > 0) {
        self = (Count *)type->tp_alloc(type, 0);
        if (self != NULL && fill(self, ledger, kind, namer, by, environ, thread) < 0) {
            self->ended = 1; /* nothing is to be written of it */
            Py_CLEAR(self);
        }
    }
    Py_DECREF(ledger);
    return go_on == 0 ? new_reference(Py_None) : (PyObject *)self;
}

/* Half begun, it would pass for what later requests are inside of. */
static void forget_half_begun(Core *core) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *token = PyContextVar_Set(core->current, Py_None);
    if (token == NULL) PyErr_Clear();
    Py_XDECREF(token);
    PyErr_Restore(type, value, traceback);
}

PyObject *count_begin(Core *core, int kind, PyObject *namer, int named, PyObject *environ,
                      PyObject *thread) {
    PyObject *request = begin(core, kind, namer, named, environ, thread);
    if (request != NULL) return request;
    forget_half_begun(core);
    return core_swallow(core) < 0 ? NULL : new_reference(Py_None);
}
