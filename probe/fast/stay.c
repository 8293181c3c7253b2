/* Whether a thread has stayed on its processor all the time: known without a system call.
 *
 * A thread's `struct rseq` (rseq(2)), which the C library registers, has a field for the program:
 * where its restartable sequence is. The kernel empties the field when it takes the thread off its
 * processor, or gives it a signal, outside of that sequence. Ours is never run, so the field says
 * whether that has happened since it was filled. Another library that uses sequences of its own
 * overwrites it, and is not disturbed by what stands there before.
 *
 * Not all kernels empty it at each switch: each process tries that out. */
#define _GNU_SOURCE
#include "fast.h"

#include <dlfcn.h>

#if defined(__linux__) && defined(__x86_64__) && defined(__GNUC__)
#define HAS_SEQUENCES 1
#else
#define HAS_SEQUENCES 0
#endif

#if HAS_SEQUENCES
/* Before the address to go on at the kernel wants to see the number that the C library gave it. */
__asm__(".pushsection .text\n\t.balign 16\n\t.long 0x53053053\n"
        ".local dynoscope_never\ndynoscope_never:\n\tud2\n\tud2\n\t.popsection");
extern const char dynoscope_never[] __attribute__((visibility("hidden")));

/* struct rseq_cs and the start of struct rseq, as in linux/rseq.h, which not all have. */
static const struct {
    uint32_t version, flags;
    const char *start;
    uint64_t length;
    const char *abort;
} never __attribute__((aligned(32))) = {.start = dynoscope_never + 2, .length = 1,
                                        .abort = dynoscope_never};

typedef struct {
    uint32_t cpu_id_start;
    int32_t cpu_id; /* negative: not registered */
    uint64_t sequence;
} Sequences;

static inline volatile Sequences *own_sequences(ptrdiff_t at) {
    char *thread;
    __asm__("movq %%fs:0, %0" : "=r"(thread));
    return (volatile Sequences *)(thread + at);
}

void stay_begin(ptrdiff_t at) { own_sequences(at)->sequence = (uint64_t)(uintptr_t)&never; }

int stay_holds(ptrdiff_t at) { return own_sequences(at)->sequence == (uint64_t)(uintptr_t)&never; }

/* Where a thread's sequences are, from its thread pointer; 0: there are none, or they
 * cannot tell. */
ptrdiff_t stay_place(void) {
    const unsigned int *size = dlsym(RTLD_DEFAULT, "__rseq_size");
    const ptrdiff_t *offset = dlsym(RTLD_DEFAULT, "__rseq_offset");
    const struct timespec soon = {.tv_nsec = 1};
    if (size == NULL || offset == NULL || *size < sizeof(Sequences)) return 0;
    if (own_sequences(*offset)->cpu_id < 0) return 0;
    stay_begin(*offset);
    int held = stay_holds(*offset);
    nanosleep(&soon, NULL);
    return held && !stay_holds(*offset) ? *offset : 0;
}
#else
void stay_begin(ptrdiff_t at) {}
int stay_holds(ptrdiff_t at) { return 0; }
ptrdiff_t stay_place(void) { return 0; }
#endif
