/* Caller, Start and Body: the way of one request through middleware.py. */
#include "fast.h"

static inline Core *core_of(Count *request) {
    Ledger *ledger = (Ledger *)request->ledger;
    return ledger == NULL ? NULL : (Core *)ledger->core;
}

/* --- Start: the start_response that the application is given ---------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *request, *start_response;
    vectorcallfunc vectorcall;
} Start;

/* The first argument, or the one named `status`, as some servers do; borrowed, NULL if none. */
static PyObject *status_among(Core *core, PyObject *const *args, Py_ssize_t count,
                              PyObject *names) {
    if (count > 0) return args[0];
    for (Py_ssize_t n = 0; names != NULL && n < PyTuple_GET_SIZE(names); n++)
        if (PyUnicode_Compare(PyTuple_GET_ITEM(names, n), core->names.status) == 0) return args[n];
    return NULL;
}

static PyObject *start_vectorcall(Start *self, PyObject *const *args, size_t nargsf,
                                  PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    Count *request = (Count *)self->request;
    Core *core = core_of(request);
    if (core != NULL) {
        PyObject *status = status_among(core, args, count, names), *old = request->status_line;
        int is_text = status != NULL && PyUnicode_Check(status);
        request->status_line = new_reference(is_text ? status : core->names.empty);
        Py_XDECREF(old);
    }
    return PyObject_Vectorcall(self->start_response, args, (size_t)count, names);
}

static PyObject *start_of(Core *core, PyObject *request, PyObject *start_response) {
    PyTypeObject *type = (PyTypeObject *)core->start_type;
    Start *self = (Start *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->request = new_reference(request);
    self->start_response = new_reference(start_response);
    self->vectorcall = (vectorcallfunc)start_vectorcall;
    return (PyObject *)self;
}

static int start_traverse(Start *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->request);
    Py_VISIT(self->start_response);
    return 0;
}

static void start_dealloc(Start *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->request);
    Py_CLEAR(self->start_response);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef start_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Start, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot start_slots[] = {
    {Py_tp_dealloc, start_dealloc}, {Py_tp_traverse, start_traverse},
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_members, start_members},
    {0, NULL},
};

PyType_Spec start_spec = {
    .name = "dynoscope_probe._fast.Start",
    .basicsize = sizeof(Start),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = start_slots,
};

/* --- errors and outcomes ---------------------------------------------------------------------- */

/* An exception leaves the application: failed() notes it and ends the request; it is raised on. */
static void application_failed(Count *request) {
    PyObject *type, *value, *traceback;
    Core *core = core_of(request);
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) PyException_SetTraceback(value, traceback);
    if (core != NULL && core->failed != NULL) {
        PyObject *args[] = {(PyObject *)request, value};
        PyObject *done = PyObject_Vectorcall(core->failed, args, 2, NULL);
        if (done == NULL) { /* in tests only */
            Py_XDECREF(type);
            Py_XDECREF(value);
            Py_XDECREF(traceback);
            return;
        }
        Py_DECREF(done);
    }
    Py_XDECREF(traceback);
    PyErr_Restore(type, value, PyException_GetTraceback(value));
}

static int outcome_of(Count *request) {
    return count_status(request) >= 500 ? OUTCOME_ERROR : OUTCOME_OK;
}

/* --- Body ------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    PyObject *request, *response, *parts;
    char complete, plain;
} Body;

static PyObject *body_of(PyObject *type_object, PyObject *request, PyObject *response) {
    PyTypeObject *type = (PyTypeObject *)type_object;
    Body *self = (Body *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->request = new_reference(request);
    self->response = new_reference(response);
    return (PyObject *)self;
}

static int body_traverse(Body *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->request);
    Py_VISIT(self->response);
    Py_VISIT(self->parts);
    return 0;
}

static void body_dealloc(Body *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->request);
    Py_CLEAR(self->response);
    Py_CLEAR(self->parts);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Calls through the endpoint's frame as it is now: call(argument), or call() without one. */
static PyObject *through_frame(Count *request, PyObject *call, PyObject *argument) {
    PyObject *args[] = {call, argument};
    PyObject *frame = new_reference(request->frame);
    if (frame == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the request is gone");
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(frame, args, argument == NULL ? 1 : 2, NULL);
    Py_DECREF(frame);
    return result;
}

/* Whether an iterator's steps run nobody's code: they need no frame then. */
static int is_plain(PyObject *iterator) {
    return Py_TYPE(iterator) == &PyListIter_Type || Py_TYPE(iterator) == &PyTupleIter_Type;
}

static PyObject *next_part(Body *self, Count *request, Core *core) {
    if (self->parts == NULL) {
        PyObject *parts = through_frame(request, core->iter, self->response);
        if (parts == NULL) return NULL;
        self->plain = (char)is_plain(parts);
        Py_XSETREF(self->parts, parts);
    }
    if (self->plain) return PyIter_Next(self->parts);
    return through_frame(request, core->next, self->parts);
}

static PyObject *body_next(Body *self) {
    Count *request = (Count *)self->request;
    Core *core = core_of(request);
    if (core == NULL) return NULL;
    request->running = 1;
    PyObject *part = next_part(self, request, core);
    if (part == NULL) {
        if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_StopIteration)) self->complete = 1;
        else application_failed(request);
    }
    request->running = 0;
    return part;
}

/* response.close() through the frame, where it has one. */
static int close_response(Body *self, Count *request, Core *core) {
    PyObject *close = PyObject_GetAttr(self->response, core->names.close);
    if (close == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return -1;
        PyErr_Clear();
        return 0;
    }
    PyObject *done = close == Py_None ? new_reference(close) : through_frame(request, close, NULL);
    Py_DECREF(close);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyObject *body_close(Body *self, PyObject *unused) {
    Count *request = (Count *)self->request;
    Core *core = core_of(request);
    if (core == NULL) return new_reference(Py_None);
    request->running = 1;
    if (close_response(self, request, core) < 0) {
        application_failed(request);
        return NULL;
    }
    int outcome = self->complete ? outcome_of(request) : OUTCOME_DISCONNECTED;
    return count_end(request, outcome) < 0 ? NULL : new_reference(Py_None);
}

static Py_ssize_t body_length(Body *self) { return PyObject_Size(self->response); }

static PyMethodDef body_methods[] = {
    {"close", (PyCFunction)body_close, METH_NOARGS, "The server is done with the response."},
    {NULL, NULL, 0, NULL},
};

#define BODY_SLOTS \
    {Py_tp_dealloc, body_dealloc}, {Py_tp_traverse, body_traverse}, {Py_tp_iter, PyObject_SelfIter}, \
        {Py_tp_iternext, body_next}, {Py_tp_methods, body_methods}

static PyType_Slot body_slots[] = {BODY_SLOTS, {0, NULL}};
static PyType_Slot sized_body_slots[] = {BODY_SLOTS, {Py_sq_length, body_length}, {0, NULL}};

PyType_Spec body_spec = {
    .name = "dynoscope_probe._fast.Body",
    .basicsize = sizeof(Body),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = body_slots,
};

PyType_Spec sized_body_spec = {
    .name = "dynoscope_probe._fast.SizedBody",
    .basicsize = sizeof(Body),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = sized_body_slots,
};

/* --- Caller: the middleware's __call__ -------------------------------------------------------- */

static int can_be_read(PyObject *response, Core *core) {
    PyObject *read = NULL;
    int can = attribute_if_any(response, core->names.read, &read);
    Py_XDECREF(read);
    if (can < 0) PyErr_Clear(); /* the application's __getattr__ */
    return can > 0;
}

/* Whether the response needs no further counting: a list, a tuple, a file; -1 with an error. */
static int is_whole(Core *core, PyObject *response, PyObject *environ) {
    if (PyList_CheckExact(response) || PyTuple_CheckExact(response)) return 1;
    if (core->is_file == NULL) return 0;
    if (PyDict_CheckExact(environ)) { /* what is_file() says first, for most responses */
        PyObject *wrapper = PyDict_GetItemWithError(environ, core->names.file_wrapper);
        if (wrapper == NULL && PyErr_Occurred()) return -1;
        if (wrapper == NULL || wrapper == Py_None) return 0;
        if (!PyType_Check(wrapper) && !can_be_read(response, core)) return 0;
    }
    PyObject *args[] = {response, environ};
    PyObject *found = PyObject_Vectorcall(core->is_file, args, 2, NULL);
    int is = found == NULL ? -1 : PyObject_IsTrue(found);
    Py_XDECREF(found);
    return is;
}

static int has_length(PyObject *response) {
    const PyTypeObject *type = Py_TYPE(response);
    return (type->tp_as_sequence && type->tp_as_sequence->sq_length) ||
           (type->tp_as_mapping && type->tp_as_mapping->mp_length);
}

/* Takes over the reference to `response`. */
static PyObject *counted(Core *core, Count *request, PyObject *response, PyObject *environ) {
    request->running = 0;
    int whole = is_whole(core, response, environ);
    if (whole < 0 || (whole && count_end(request, outcome_of(request)) < 0)) Py_CLEAR(response);
    if (whole) return response;
    PyObject *type = has_length(response) ? core->sized_body_type : core->body_type;
    PyObject *body = body_of(type, (PyObject *)request, response);
    Py_DECREF(response);
    return body;
}

static PyObject *call_counted(Core *core, PyObject *request, PyObject *application,
                              PyObject *environ, PyObject *start_response) {
    PyObject *start = start_of(core, request, start_response);
    PyObject *frame = new_reference(((Count *)request)->frame);
    PyObject *response = NULL;
    if (start != NULL && frame != NULL) {
        PyObject *args[] = {application, environ, start};
        response = PyObject_Vectorcall(frame, args, 3, NULL);
    } else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_RuntimeError, "the request is gone");
    Py_XDECREF(start);
    Py_XDECREF(frame);
    if (response == NULL) {
        application_failed((Count *)request);
        return NULL;
    }
    return counted(core, (Count *)request, response, environ);
}

/* The request, begun; None: nothing is to be counted. */
static PyObject *begun(Core *core, PyObject *self, PyObject *environ) {
    /* Not through __getattr__, which asks the application. */
    PyObject *namer = PyObject_GenericGetAttr(self, core->names._resolve);
    int by = NAMED_BY_ROUTE;
    if (namer == Py_None) { /* not known before the first request */
        Py_DECREF(namer);
        namer = PyObject_GenericGetAttr(self, core->names._endpoint);
        by = NAMED_WHOLE;
    }
    if (namer == NULL) return NULL;
    PyObject *request = count_begin(core, KIND_HTTP, namer, by, environ, NULL);
    Py_DECREF(namer);
    return request;
}

static PyObject *call_with(Core *core, PyObject *self, PyObject *environ,
                           PyObject *start_response) {
    PyObject *application = PyObject_GenericGetAttr(self, core->names._application);
    PyObject *request = application == NULL ? NULL : begun(core, self, environ), *response = NULL;
    if (request == Py_None) {
        PyObject *args[] = {environ, start_response};
        response = PyObject_Vectorcall(application, args, 2, NULL);
    } else if (request != NULL)
        response = call_counted(core, request, application, environ, start_response);
    Py_XDECREF(application);
    Py_XDECREF(request);
    return response;
}

/* What `_core` is: its name is kept by the module, made anew it would cost a search of all bases. */
static PyObject *core_of_type(PyTypeObject *type) {
    PyTypeObject *base = type;
    while (base->tp_base != NULL && base->tp_base != &PyBaseObject_Type) base = base->tp_base;
    PyObject *module = PyType_GetModule(base);
    PyObject **name = module == NULL ? NULL : PyModule_GetState(module);
    if (name != NULL && *name != NULL) {
        PyObject *core = _PyType_Lookup(type, *name); /* borrowed */
        if (core != NULL) return new_reference(core);
    }
    PyErr_Clear();
    return PyObject_GetAttrString((PyObject *)type, "_core");
}

static PyObject *caller_call(PyObject *self, PyObject *arguments, PyObject *named) {
    static char *names[] = {"environ", "start_response", NULL};
    PyObject *environ, *start_response, *response = NULL;
    if (named == NULL && PyTuple_GET_SIZE(arguments) == 2) {
        environ = PyTuple_GET_ITEM(arguments, 0);
        start_response = PyTuple_GET_ITEM(arguments, 1);
    } else if (!PyArg_ParseTupleAndKeywords(arguments, named, "OO:__call__", names, &environ,
                                            &start_response))
        return NULL;
    PyObject *core = core_of_type(Py_TYPE(self));
    if (core == NULL) return NULL;
    if (is_core(core))
        response = call_with((Core *)core, self, environ, start_response);
    else
        PyErr_SetString(PyExc_TypeError, "_core is no Core");
    Py_DECREF(core);
    return response;
}

/* No fields of its own: instances are copied and pickled as those of a Python class. */
static PyType_Slot caller_slots[] = {
    {Py_tp_call, caller_call},
    {0, NULL},
};

PyType_Spec caller_spec = {
    .name = "dynoscope_probe._fast.Caller",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = caller_slots,
};
