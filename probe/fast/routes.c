/* Routes and Answer: the way of one request through django_routes.py, in the same way; whatever is
 * not as usual is left to its Python functions. */
#include "routes.h"

/* --- Answer: as in Python ---------------------------------------------------------------------- */

#define ANSWER_OBJECTS(X) \
    X(resolver) X(urlconf) X(path_info) X(prefix) X(method) X(language) X(match) \
    X(error)

static int answer_traverse(Answer *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
#define X(name) Py_VISIT(self->name);
    ANSWER_OBJECTS(X)
#undef X
    return 0;
}

static int answer_clear(Answer *self) {
#define X(name) Py_CLEAR(self->name);
    ANSWER_OBJECTS(X)
#undef X
    return 0;
}

static void answer_dealloc(Answer *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    answer_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef answer_members[] = {
#define X(name) {#name, T_OBJECT, offsetof(Answer, name), 0, NULL},
    ANSWER_OBJECTS(X)
#undef X
    {"settled", T_BOOL, offsetof(Answer, settled), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot answer_slots[] = {
    {Py_tp_dealloc, answer_dealloc}, {Py_tp_traverse, answer_traverse},
    {Py_tp_clear, answer_clear},     {Py_tp_members, answer_members},
    {0, NULL},
};

PyType_Spec answer_spec = {
    .name = "dynoscope_probe._fast.Answer",
    .basicsize = sizeof(Answer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = answer_slots,
};

/* --- the early answer -------------------------------------------------------------------------- */

/* A text of the environ; `usual` where there is none; NULL without an error: not as usual. */
static PyObject *ascii_of(PyObject *environ, PyObject *name, PyObject *usual) {
    PyObject *text = PyDict_GetItemWithError(environ, name);
    if (text == NULL) return PyErr_Occurred() ? NULL : usual;
    if (!PyUnicode_CheckExact(text) || PyUnicode_READY(text) < 0) return NULL;
    if (!PyUnicode_IS_ASCII(text)) return NULL;
    return PyUnicode_GET_LENGTH(text) ? text : usual;
}

static int read_settings(Routes *self) {
    if (is_unchanged(self->kept_settings, &self->settings_version)) return 0;
    PyObject *prefix = PyDict_GetItemWithError(self->kept_settings, self->names.FORCE_SCRIPT_NAME);
    PyObject *root = PyDict_GetItemWithError(self->kept_settings, self->names.ROOT_URLCONF);
    self->no_prefix = prefix == Py_None;
    Py_XSETREF(self->root, new_reference(root == Py_None ? NULL : root));
    return PyErr_Occurred() ? -1 : 0;
}

/* The prefix that Django is about to set; a new reference, NULL without an error: not as usual. */
static PyObject *prefix_of(Routes *self, PyObject *environ) {
    if (read_settings(self) < 0 || !self->no_prefix ||
        PyDict_GetItemWithError(environ, self->names.SCRIPT_URL) != NULL ||
        PyDict_GetItemWithError(environ, self->names.REDIRECT_URL) != NULL)
        return NULL;
    PyObject *name = ascii_of(environ, self->names.SCRIPT_NAME, self->names.slash);
    if (name == NULL) return NULL;
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if (PyUnicode_READ_CHAR(name, length - 1) == '/') return new_reference(name);
    return PyUnicode_Concat(name, self->names.slash);
}

PyObject *root_urlconf(Routes *self) { return read_settings(self) < 0 ? NULL : self->root; }

static int take_language(Routes *self, Answer *answer) {
    if (answer->resolver == self->plain) {
        answer->language = new_reference(Py_None);
        return 0;
    }
    PyObject *told = PyObject_CallOneArg(self->depends_on_language, answer->resolver);
    int depends = told == NULL ? -1 : PyObject_IsTrue(told);
    Py_XDECREF(told);
    if (depends < 0) return -1;
    if (!depends) Py_XSETREF(self->plain, new_reference(answer->resolver));
    answer->language =
        depends ? PyObject_CallNoArgs(self->get_language) : new_reference(Py_None);
    return answer->language == NULL ? -1 : 0;
}

/* The exception that says that there is no such route is kept; any other Django meets itself. */
static int keep_not_found(Routes *self, Answer *answer) {
    if (!PyErr_ExceptionMatches(self->not_found)) return -1;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    Py_XSETREF(answer->error, value);
    return PyException_SetTraceback(value, Py_None);
}

/* The route's template, of the resolver's match; None if there is none. */
static PyObject *ask(Routes *self, Answer *answer) {
    answer->match =
        PyObject_CallMethodObjArgs(answer->resolver, self->names.resolve, answer->path_info, NULL);
    if (answer->match == NULL)
        return keep_not_found(self, answer) < 0 ? NULL : new_reference(Py_None);
    PyObject *route = PyObject_GetAttr(answer->match, self->names.route);
    if (route == NULL || answer->prefix == self->names.slash) return route;
    PyObject *whole = PyObject_CallFunctionObjArgs(self->mounted, route, answer->prefix, NULL);
    Py_DECREF(route);
    return whole;
}

static PyObject *answered(Routes *self, Answer *answer, PyObject *environ) {
    answer->urlconf = new_reference(root_urlconf(self));
    if (answer->urlconf == NULL) {
        if (PyErr_Occurred()) return NULL;
        return PyObject_CallOneArg(self->early, environ);
    }
    answer->resolver = PyObject_CallOneArg(self->resolver_of, answer->urlconf);
    if (answer->resolver == NULL || take_language(self, answer) < 0) return NULL;
    PyObject *route = ask(self, answer);
    PyObject *both = route == NULL ? NULL : PyTuple_Pack(2, route, (PyObject *)answer);
    Py_XDECREF(route);
    return both;
}

static PyObject *early(Routes *self, PyObject *environ) {
    if (!PyDict_CheckExact(environ)) return PyObject_CallOneArg(self->early, environ);
    PyObject *path = ascii_of(environ, self->names.PATH_INFO, self->names.slash);
    PyObject *method = PyDict_GetItemWithError(environ, self->names.REQUEST_METHOD);
    PyObject *prefix = path == NULL || method == NULL ? NULL : prefix_of(self, environ);
    if (prefix == NULL) {
        if (PyErr_Occurred()) return NULL;
        return PyObject_CallOneArg(self->early, environ);
    }
    PyTypeObject *type = (PyTypeObject *)self->answer_type;
    Answer *answer = (Answer *)type->tp_alloc(type, 0);
    if (answer == NULL) {
        Py_DECREF(prefix);
        return NULL;
    }
    answer->path_info = new_reference(path);
    answer->method = new_reference(method);
    answer->prefix = prefix;
    PyObject *both = answered(self, answer, environ);
    Py_DECREF(answer);
    return both;
}

static PyObject *early_method(Routes *self, PyObject *environ) {
    PyObject *both = early(self, environ);
    if (both != NULL) return both;
    if (core_swallow((Core *)self->core) < 0) return NULL;
    return PyTuple_Pack(2, Py_None, Py_None);
}

/* --- Routes ------------------------------------------------------------------------------------ */

static int routes_traverse(Routes *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
#define X(name) Py_VISIT(self->name);
    ROUTES_OBJECTS(X)
#undef X
    return 0;
}

static int routes_clear(Routes *self) {
#define X(name) Py_CLEAR(self->name);
    ROUTES_OBJECTS(X)
#undef X
    return 0;
}

static void routes_dealloc(Routes *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    routes_clear(self);
#define X(name) Py_CLEAR(self->names.name);
    ROUTES_NAMES(X)
#undef X
    Py_CLEAR(self->names.slash);
    type->tp_free(self);
    Py_DECREF(type);
}

static int routes_fill(Routes *self, PyTypeObject *type) {
    PyObject *module = PyType_GetModule(type);
    if (module == NULL) return -1;
#define X(name) \
    if ((self->names.name = PyUnicode_InternFromString(#name)) == NULL) return -1;
    ROUTES_NAMES(X)
#undef X
    self->names.slash = PyUnicode_InternFromString("/");
    self->answer_type = PyObject_GetAttrString(module, "Answer");
    self->taking_type = PyObject_GetAttrString(module, "Taking");
    self->entering_type = PyObject_GetAttrString(module, "Entering");
    if (!self->names.slash || !self->answer_type || !self->taking_type || !self->entering_type)
        return -1;
    if (is_core(self->core) && PyDict_Check(self->kept_settings)) return 0;
    PyErr_SetString(PyExc_TypeError, "Routes() was given something else");
    return -1;
}

static PyObject *routes_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    static char *names[] = {
#define X(name) #name,
        ROUTES_FIELDS(X)
#undef X
        NULL};
    Routes given;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "$OOOOOOOOOOOOOO:Routes", names
#define X(name) , &given.name
                                     ROUTES_FIELDS(X)
#undef X
                                         ))
        return NULL;
    Routes *self = (Routes *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
#define X(name) self->name = new_reference(given.name);
    ROUTES_FIELDS(X)
#undef X
    if (routes_fill(self, type) < 0) Py_CLEAR(self);
    return (PyObject *)self;
}

static PyMethodDef routes_methods[] = {
    {"early", (PyCFunction)early_method, METH_O, "early(environ): as early_answer; never raises."},
    {"taking", (PyCFunction)routes_taking, METH_NOARGS, "For the place of resolve_request."},
    {"entering", (PyCFunction)routes_entering, METH_O,
     "entering(taking): (handler, request) -> the second frame or None, as _second_frame."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot routes_slots[] = {
    {Py_tp_new, routes_new},     {Py_tp_dealloc, routes_dealloc}, {Py_tp_traverse, routes_traverse},
    {Py_tp_clear, routes_clear}, {Py_tp_methods, routes_methods}, {0, NULL},
};

PyType_Spec routes_spec = {
    .name = "dynoscope_probe._fast.Routes",
    .basicsize = sizeof(Routes),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = routes_slots,
};
