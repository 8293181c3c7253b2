/* ThreadClock: the thread's CPU time for a profiler, which asks for it twice a call.
 *
 * Asking the kernel costs more than most calls that are profiled, and blurs them. Between two
 * readings that are close together the thread was hardly ever interrupted, so there the time that
 * passed serves, which is known without a system call; every so often, and after a gap, the kernel
 * is asked. Then readings stand still until the CPU time has caught up with what was shown. */
#include "fast.h"

#define GAP_NS 20000
#define SPAN_NS 500000

typedef struct {
    PyObject_HEAD
    int64_t asked_at_ns, read_at_ns, cpu_ns, shown_ns;
} ThreadClock;

static PyObject *clock_read(ThreadClock *self, PyObject *unused) {
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (now_ns - self->read_at_ns > GAP_NS || now_ns - self->asked_at_ns > SPAN_NS) {
        self->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        self->asked_at_ns = now_ns = clock_ns(CLOCK_MONOTONIC);
    } else
        self->cpu_ns += now_ns - self->read_at_ns;
    self->read_at_ns = now_ns;
    if (self->cpu_ns > self->shown_ns) self->shown_ns = self->cpu_ns;
    return PyLong_FromLongLong(self->shown_ns);
}

static void clock_dealloc(ThreadClock *self) {
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef clock_methods[] = {
    {"read", (PyCFunction)clock_read, METH_NOARGS,
     "CPU time (ns) of the thread that reads it; one clock serves one thread."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot clock_slots[] = {
    {Py_tp_dealloc, clock_dealloc}, {Py_tp_methods, clock_methods}, {0, NULL}};

PyType_Spec clock_spec = {
    .name = "dynoscope_probe._fast.ThreadClock",
    .basicsize = sizeof(ThreadClock),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = clock_slots,
};
