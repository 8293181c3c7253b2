/* Taking and Entering: what stands in the place of parts of Django's handlers. */
#include "routes.h"

#include <string.h>

/* End as Django's resolving ends: with the match, or raising. */
static PyObject *answer_give(Answer *self, PyObject *name, PyObject *request) {
    if (self->error != NULL && self->error != Py_None) {
        PyObject *error = self->error;
        self->error = NULL;
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
        return NULL;
    }
    PyObject *match = self->match == NULL ? Py_None : self->match;
    Py_INCREF(match);
    if (PyObject_SetAttr(request, name, match) < 0) Py_CLEAR(match);
    return match;
}

/* --- whether it holds -------------------------------------------------------------------------- */

/* 1: they are equal; 0: they are not; -1: an error. */
static int is_equal(PyObject *value, PyObject *text) {
    if (value == text) return 1;
    if (!PyUnicode_CheckExact(value) || !PyUnicode_CheckExact(text) ||
        PyUnicode_READY(value) < 0 || PyUnicode_READY(text) < 0 || !PyUnicode_IS_ASCII(value) ||
        !PyUnicode_IS_ASCII(text))
        return PyObject_RichCompareBool(value, text, Py_EQ);
    Py_ssize_t length = PyUnicode_GET_LENGTH(value);
    return length == PyUnicode_GET_LENGTH(text) &&
           memcmp(PyUnicode_1BYTE_DATA(value), PyUnicode_1BYTE_DATA(text), (size_t)length) == 0;
}

/* 1: the attribute is this text; 0: it is another; -1: an error. */
static int has_text(PyObject *object, PyObject *name, PyObject *text) {
    PyObject *value = PyObject_GetAttr(object, name);
    if (value == NULL) return -1;
    int same = is_equal(value, text);
    Py_DECREF(value);
    return same;
}

/* What asgiref keeps for this thread or task in the one context variable of a Local: a new reference
 * to its data, NULL without an error: nothing. */
static PyObject *local_data(Routes *self) {
    PyObject *kept = NULL, *data = NULL;
    if (PyContextVar_Get(self->prefix_var, NULL, &kept) < 0 || kept == NULL) return NULL;
    PyObject *thread = PyObject_GetAttr(kept, self->names.thread_id);
    if (thread != NULL) {
        unsigned long ident = PyLong_AsUnsignedLong(thread);
        Py_DECREF(thread);
        if (ident == PyThread_get_thread_ident()) data = PyObject_GetAttr(kept, self->names.data);
    }
    Py_DECREF(kept);
    return data;
}

/* The script prefix as it is now: a new reference. */
static PyObject *prefix_now(Routes *self) {
    if (!PyContextVar_CheckExact(self->prefix_var)) return PyObject_CallNoArgs(self->prefix_now);
    PyObject *data = local_data(self), *prefix = NULL;
    if (data != NULL && PyDict_CheckExact(data))
        prefix = new_reference(PyDict_GetItemWithError(data, self->names.value));
    Py_XDECREF(data);
    if (prefix != NULL || PyErr_Occurred()) return prefix;
    return new_reference(self->names.slash);
}

/* As _still_holds(); 2: Python is to look. */
static int still_holds(Routes *self, Answer *early, PyObject *request) {
    PyObject *urlconf = NULL;
    if (early->language != Py_None || early->prefix == NULL) return 2;
    int has_own = attribute_if_any(request, self->names.urlconf, &urlconf);
    Py_XDECREF(urlconf);
    if (has_own) return has_own < 0 ? -1 : 2;
    int same = has_text(request, self->names.path_info, early->path_info);
    if (same > 0) same = has_text(request, self->names.method, early->method);
    if (same <= 0) return same;
    PyObject *prefix = prefix_now(self);
    if (prefix == NULL) return -1;
    same = is_equal(prefix, early->prefix);
    Py_DECREF(prefix);
    if (same <= 0) return same;
    PyObject *root = root_urlconf(self);
    if (root == NULL && PyErr_Occurred()) return -1;
    return root != NULL && root == early->urlconf ? 1 : 2;
}

/* The current request that Django's resolving is to be taken from; NULL without an error: none. */
static Count *routed_request(Routes *self) {
    Core *core = (Core *)self->core;
    PyObject *current = NULL;
    if (PyContextVar_Get(core->current, NULL, &current) < 0) return NULL;
    Count *request = (Count *)current;
    if (current == NULL || current == Py_None ||
        !PyObject_TypeCheck(current, (PyTypeObject *)core->request_type) ||
        request->kind != KIND_HTTP || request->routing == self->taken) {
        Py_XDECREF(current);
        return NULL;
    }
    return request;
}

static int is_answer(Routes *self, PyObject *routing) {
    return routing != NULL && PyObject_TypeCheck(routing, (PyTypeObject *)self->answer_type);
}

/* The answer that holds becomes `routing`; 0 if that is left to Python, -1: an error. */
static int settle(Routes *self, Count *counted, PyObject *request) {
    if (!is_answer(self, counted->routing)) return 0;
    Answer *early = (Answer *)new_reference(counted->routing);
    int holds = still_holds(self, early, request);
    if (holds < 0) { /* Python meets the same, and swallows it */
        holds = PyErr_ExceptionMatches(PyExc_Exception) ? 0 : -1;
        if (holds == 0) PyErr_Clear();
    } else if (holds == 1) {
        count_naming(counted);
        early->settled = 1;
    }
    Py_DECREF(early);
    return holds == 2 ? 0 : holds;
}

/* --- Taking: in the place of BaseHandler.resolve_request --------------------------------------- */

typedef struct {
    PyObject_HEAD
    Routes *routes;
    PyObject *taking; /* Entering: the Taking that goes with it */
    PyObject *dict;   /* Taking: its attributes */
    vectorcallfunc vectorcall;
} Step;

static PyObject *take(Routes *self, Count *counted, PyObject *handler, PyObject *request) {
    PyObject *answer = counted->routing;
    if (is_answer(self, answer) && ((Answer *)answer)->settled) Py_INCREF(answer);
    else
        answer = PyObject_CallFunctionObjArgs(self->settled, (PyObject *)counted, self->resolve,
                                              handler, request, NULL);
    if (answer == NULL) return NULL;
    Py_XSETREF(counted->routing, new_reference(self->taken));
    PyObject *match = NULL;
    if (is_answer(self, answer))
        match = answer_give((Answer *)answer, self->names.resolver_match, request);
    else PyErr_SetString(PyExc_TypeError, "settled() is to give an Answer");
    Py_DECREF(answer);
    return match;
}

static PyObject *taking_vectorcall(Step *step, PyObject *const *args, size_t nargsf,
                                   PyObject *names) {
    Routes *self = step->routes;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    Count *counted = count == 2 && names == NULL ? routed_request(self) : NULL;
    if (counted == NULL) {
        if (PyErr_Occurred()) return NULL;
        return PyObject_Vectorcall(self->resolve, args, (size_t)count, names);
    }
    PyObject *match = take(self, counted, args[0], args[1]);
    Py_DECREF(counted);
    return match;
}

/* --- Entering: what the replaced code of a handler's inside asks first -------------------------- */

/* As _second_frame(); a new reference to the frame or None. */
static PyObject *second_frame(Step *step, PyObject *handler, PyObject *request) {
    Routes *self = step->routes;
    Count *counted = routed_request(self);
    if (counted == NULL) return PyErr_Occurred() ? NULL : new_reference(Py_None);
    PyObject *own = _PyType_Lookup(Py_TYPE(handler), self->names.resolve_request); /* borrowed */
    int settled = own != step->taking ? 1 : settle(self, counted, request);
    Py_DECREF(counted);
    if (settled < 0) return NULL;
    if (settled) return new_reference(Py_None);
    return PyObject_CallFunctionObjArgs(self->second_frame, step->taking, self->resolve, handler,
                                        request, NULL);
}

static PyObject *entering_vectorcall(Step *step, PyObject *const *args, size_t nargsf,
                                     PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (count != 2 || names != NULL) {
        PyErr_SetString(PyExc_TypeError, "a handler's inside takes the handler and the request");
        return NULL;
    }
    PyObject *frame = second_frame(step, args[0], args[1]);
    if (frame != NULL || core_swallow((Core *)step->routes->core) < 0) return frame;
    return new_reference(Py_None);
}

static int step_traverse(Step *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)self->routes);
    Py_VISIT(self->taking);
    Py_VISIT(self->dict);
    return 0;
}

static void step_dealloc(Step *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(self->routes);
    Py_CLEAR(self->taking);
    Py_CLEAR(self->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *taking_get(PyObject *self, PyObject *object, PyObject *type) {
    return object == NULL || object == Py_None ? new_reference(self) : PyMethod_New(self, object);
}

static PyMemberDef step_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Step, vectorcall), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Step, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef taking_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define STEP_SLOTS \
    {Py_tp_dealloc, step_dealloc}, {Py_tp_traverse, step_traverse}, \
        {Py_tp_call, PyVectorcall_Call}, {Py_tp_members, step_members}

static PyType_Slot taking_slots[] = {
    STEP_SLOTS, {Py_tp_descr_get, taking_get}, {Py_tp_getset, taking_getset}, {0, NULL}};
static PyType_Slot entering_slots[] = {STEP_SLOTS, {0, NULL}};

PyType_Spec taking_spec = {
    .name = "dynoscope_probe._fast.Taking",
    .basicsize = sizeof(Step),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = taking_slots,
};

PyType_Spec entering_spec = {
    .name = "dynoscope_probe._fast.Entering",
    .basicsize = sizeof(Step),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = entering_slots,
};

/* --- Routes makes them ------------------------------------------------------------------------- */

static Step *step_of(Routes *self, PyObject *type_object, vectorcallfunc vectorcall) {
    PyTypeObject *type = (PyTypeObject *)type_object;
    Step *step = (Step *)type->tp_alloc(type, 0);
    if (step == NULL) return NULL;
    step->routes = (Routes *)new_reference((PyObject *)self);
    step->vectorcall = vectorcall;
    return step;
}

PyObject *routes_taking(Routes *self, PyObject *unused) {
    return (PyObject *)step_of(self, self->taking_type, (vectorcallfunc)taking_vectorcall);
}

PyObject *routes_entering(Routes *self, PyObject *taking) {
    Step *step = step_of(self, self->entering_type, (vectorcallfunc)entering_vectorcall);
    if (step != NULL) step->taking = new_reference(taking);
    return (PyObject *)step;
}
