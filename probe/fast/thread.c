/* The thread that a request runs on: what Python keeps of it, and what it has used, asked of the
 * kernel as seldom as can be; and whether this process is still the one that asked. */
#define _GNU_SOURCE
#include "fast.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- its state -------------------------------------------------------------------------------- */

/* The thread's own, as Process.thread gives it. */
static PyObject *own_state(Ledger *ledger, Core *core) {
    PyObject *state = NULL;
    if (attribute_if_any(ledger->threads, core->names.state, &state) == 0)
        state = PyObject_CallMethod(ledger->process, "thread", NULL);
    return state;
}

static int read_state(KnownThread *known, PyObject *state, Core *core) {
    PyObject *slot = PyObject_GetAttr(state, core->names.slot);
    PyObject *native = slot == NULL ? NULL : PyObject_GetAttr(state, core->names.native_id);
    PyObject *group = native == NULL ? NULL : PyObject_GetAttr(state, core->names.group);
    if (group != NULL) {
        known->slot = (int)PyLong_AsLong(slot);
        known->native_id = (uint32_t)PyLong_AsUnsignedLong(native);
        known->has_group = group != Py_None;
    }
    Py_XDECREF(slot);
    Py_XDECREF(native);
    Py_XDECREF(group);
    return PyErr_Occurred() ? -1 : 0;
}

/* `state` serves in the place of the thread's own unless it is NULL.
 *
 * The interpreter gives each thread a number of its own, and the thread holds its state until it
 * ends: what is known under its number is true. */
int count_take_thread(Count *self, Ledger *ledger, PyObject *state) {
    Core *core = (Core *)ledger->core;
    uint64_t id = PyThreadState_GetID(PyThreadState_Get());
    KnownThread read = {0}, *known = &ledger->known_threads[id % KNOWN_THREADS];
    if (state != NULL || known->id != id) {
        int own = state == NULL;
        self->thread = own ? own_state(ledger, core) : new_reference(state);
        if (self->thread == NULL || read_state(&read, self->thread, core) < 0) return -1;
        if (own && ledger->keeps_threads) {
            read.id = id;
            read.state = self->thread; /* borrowed */
            *known = read;
        }
        known = &read;
    } else
        self->thread = new_reference(known->state);
    self->slot = known->slot;
    self->native_id = known->native_id;
    self->thread_ident = PyThread_get_thread_ident();
    self->group = known->has_group ? PyObject_GetAttr(self->thread, core->names.group)
                                   : new_reference(Py_None);
    return self->group == NULL ? -1 : 0;
}

/* --- what it has used ------------------------------------------------------------------------- */

/* Shorter than the kernel can take a thread off its processor and put it back. */
#define SWITCH_NS 600
/* In longer spans the two clocks drift apart, and one more system call is nothing. */
#define SPAN_NS 1000000

/* Of this thread so far, with and against its will; 0 where a sandbox refuses to tell. */
static int64_t context_switches(void) {
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) < 0 ? 0 : usage.ru_nvcsw + usage.ru_nivcsw;
}

/* Whether the thread ran all the time: what passed on the clock passed on its own clock, too. */
static int ran_on(const Usage *from, const Usage *to) {
    int64_t span_ns = to->at_ns - from->at_ns, away_ns = span_ns - (to->cpu_ns - from->cpu_ns);
    return span_ns < SPAN_NS && away_ns > -SWITCH_NS && away_ns < SWITCH_NS;
}

/* When this thread was asked about last: it has stayed since then, or stay_holds() denies it. */
static _Thread_local int64_t stays_since_ns;

/* As if the kernel had been asked: 1; 0: it is to be. The thread has used what has passed if it has
 * stayed on its processor; only the time that a hypervisor took from it counts then, too, so it is
 * not left at that for long. */
static int estimate(const Ledger *ledger, const Usage *before, Usage *now, int stayed) {
    if (!stayed || now->at_ns - before->asked_ns > SPAN_NS) return 0;
    now->cpu_ns = before->cpu_ns + now->at_ns - before->at_ns;
    now->switches = before->switches;
    now->asked_ns = before->asked_ns;
    return 1;
}

/* Switches are counted by a call of their own only if there may have been one since `before`, which
 * may be NULL. */
Usage usage_since(const Ledger *ledger, const Usage *before) {
    Usage now = {.at_ns = clock_ns(CLOCK_MONOTONIC), .thread = PyThread_get_thread_ident()};
    int comparable = before != NULL && before->thread == now.thread;
    int stayed = comparable && ledger->stay_at != 0 && before->asked_ns == stays_since_ns &&
                 stay_holds(ledger->stay_at);
    if (estimate(ledger, before, &now, stayed)) return now;
    if (ledger->stay_at != 0) stay_begin(ledger->stay_at);
    now.at_ns = now.asked_ns = stays_since_ns = clock_ns(CLOCK_MONOTONIC);
    now.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    int unswitched = stayed || (comparable && ran_on(before, &now));
    now.switches = unswitched ? before->switches : context_switches();
    return now;
}

/* --- the process ------------------------------------------------------------------------------ */

/* A byte that is 1, and 0 in a child that is forked off, however that is done; NULL where the kernel
 * has no such memory (before Linux 4.14). */
volatile char *fork_mark_new(void) {
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return NULL;
    /* An emulator that takes any advice cannot be believed. */
    if (madvise(page, size, -1) == 0 || madvise(page, size, MADV_WIPEONFORK) < 0) {
        munmap(page, size);
        return NULL;
    }
    *page = 1;
    return page;
}

void fork_mark_free(volatile char *mark) {
    if (mark != NULL) munmap((void *)mark, (size_t)sysconf(_SC_PAGESIZE));
}

Usage *ledger_last_used(Ledger *ledger, int slot) {
    return slot >= 0 && slot < NO_SLOT ? &ledger->last_used[slot] : NULL;
}

int ledger_is_own(const Ledger *ledger) {
    return ledger->mark != NULL ? *ledger->mark : (int64_t)getpid() == ledger->pid;
}
