/* dynoscope_probe._fast: see fast.h. */
#include "fast.h"

/* `made_here`: Python code cannot make one, which would lack what its C code relies on. */
static int add_type(PyObject *module, const char *name, PyType_Spec *spec, int made_here) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type == NULL) return -1;
    if (made_here) ((PyTypeObject *)type)->tp_new = NULL;
    int added = PyModule_AddObject(module, name, type);
    if (added < 0) Py_DECREF(type);
    return added;
}

static int module_exec(PyObject *module) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    PyErr_SetString(PyExc_ImportError, "the ring is little-endian, this processor is not");
    return -1;
#endif
    fast_crc32_init();
    PyObject **core_name = PyModule_GetState(module);
    if ((*core_name = PyUnicode_InternFromString("_core")) == NULL) return -1;
    if (add_type(module, "Core", &core_spec, 0) < 0 ||
        add_type(module, "Ledger", &ledger_spec, 1) < 0 ||
        add_type(module, "Count", &count_spec, 0) < 0 ||
        add_type(module, "Start", &start_spec, 1) < 0 ||
        add_type(module, "Body", &body_spec, 1) < 0 ||
        add_type(module, "SizedBody", &sized_body_spec, 1) < 0 ||
        add_type(module, "Caller", &caller_spec, 0) < 0 ||
        add_type(module, "Answer", &answer_spec, 0) < 0 ||
        add_type(module, "Taking", &taking_spec, 1) < 0 ||
        add_type(module, "Entering", &entering_spec, 1) < 0 ||
        add_type(module, "Routes", &routes_spec, 0) < 0 ||
        add_type(module, "ThreadClock", &clock_spec, 0) < 0 ||
        PyModule_AddIntConstant(module, "INTERFACE", INTERFACE) < 0 ||
        PyModule_AddStringConstant(module, "RECORD_FORMAT", RECORD_FORMAT) < 0 ||
        PyModule_AddStringConstant(module, "SLOT_FORMAT", SLOT_FORMAT) < 0 ||
        PyModule_AddStringConstant(module, "PREFIX_FORMAT", PREFIX_FORMAT) < 0)
        return -1;
    return 0;
}

static PyObject *crc32_of(PyObject *module, PyObject *data) {
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) return NULL;
    uint32_t crc = fast_crc32(view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLong(crc);
}

static PyMethodDef functions[] = {
    {"crc32", crc32_of, METH_O, "crc32(data): as binascii.crc32."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    PyObject **core_name = PyModule_GetState(module);
    Py_VISIT(*core_name);
    return 0;
}

static int module_clear(PyObject *module) {
    PyObject **core_name = PyModule_GetState(module);
    Py_CLEAR(*core_name);
    return 0;
}

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "dynoscope_probe._fast",
    .m_doc = "The compiled part of dynoscope_probe.",
    .m_methods = functions,
    .m_slots = slots,
    .m_size = sizeof(PyObject *), /* the text "_core" */
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit__fast(void) { return PyModuleDef_Init(&definition); }
