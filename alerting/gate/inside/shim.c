/* What the gate needs in C inside the measured process: callgrind's switches, a clock and random bytes that
   stand still, and one machine-code function per Python function, so that callgrind can tell them apart.
   Preloaded (LD_PRELOAD). Needs no Python headers: the few layouts that it must know are given to it. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

/* --- callgrind ------------------------------------------------------------------------------ */

int gate_simulated(void) { return RUNNING_ON_VALGRIND; }
void gate_start(void) { CALLGRIND_START_INSTRUMENTATION; }
void gate_stop(void) { CALLGRIND_STOP_INSTRUMENTATION; }
void gate_dump(const char *label) { CALLGRIND_DUMP_STATS_AT(label); }

/* --- clock and random bytes ------------------------------------------------------------------ */

static int frozen_clock, frozen_bytes;
static int64_t start_us, ticks_us;
static uint64_t start_seed, stream;

/* From here on the calendar clock starts at `us` and moves by 1 us a look. CPU time and monotonic clocks
   stay true: the kernel measures the deadlines of waits by them. */
void gate_freeze(int64_t us, uint64_t seed) { start_us = us; start_seed = seed | 1; frozen_clock = frozen_bytes = 1; ticks_us = 0; stream = start_seed; }
void gate_rewind(void) { ticks_us = 0; stream = start_seed; }

/* A command that prepares data has the same clock; its random bytes stay random. */
__attribute__((constructor)) static void freeze_by_environment(void) {
  const char *us = getenv("GATE_CLOCK_US");
  if (us) { start_us = strtoll(us, NULL, 10); frozen_clock = 1; }
}

static int64_t look(void) { return start_us + ticks_us++; }

int clock_gettime(clockid_t clock, struct timespec *at) {
  if (frozen_clock && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t us = look();
    at->tv_sec = us / 1000000;
    at->tv_nsec = us % 1000000 * 1000;
    return 0;
  }
  return (int)syscall(SYS_clock_gettime, clock, at);
}

int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *kept) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (kept) *kept = now.tv_sec;
  return now.tv_sec;
}

ssize_t getrandom(void *bytes, size_t size, unsigned flags) {
  if (!frozen_bytes) return syscall(SYS_getrandom, bytes, size, flags);
  for (size_t at = 0; at < size; at++) {
    stream ^= stream << 13; stream ^= stream >> 7; stream ^= stream << 17;
    ((unsigned char *)bytes)[at] = (unsigned char)(stream >> 24);
  }
  return (ssize_t)size;
}

/* --- one machine-code function per Python function ------------------------------------------- */

typedef void *(*evaluate)(void *thread, void *frame, int raising);
static evaluate real_evaluate;
static int code_at; /* where a frame keeps its code object */

/* The barrier keeps the call from becoming a jump, and each function different from the next. */
#define T(n) __attribute__((noinline)) void *Zgate_##n(void *t, void *f, int r) { \
  void *answer = real_evaluate(t, f, r); __asm__ volatile("" ::"r"((long)0x##n)); return answer; }
#define N(n) Zgate_##n,
#define X16(M, p) M(p##0) M(p##1) M(p##2) M(p##3) M(p##4) M(p##5) M(p##6) M(p##7) \
  M(p##8) M(p##9) M(p##a) M(p##b) M(p##c) M(p##d) M(p##e) M(p##f)
#define X256(M, p) X16(M, p##0) X16(M, p##1) X16(M, p##2) X16(M, p##3) X16(M, p##4) X16(M, p##5) X16(M, p##6) \
  X16(M, p##7) X16(M, p##8) X16(M, p##9) X16(M, p##a) X16(M, p##b) X16(M, p##c) X16(M, p##d) X16(M, p##e) X16(M, p##f)
#define ALL(M) X256(M, 0) X256(M, 1) X256(M, 2) X256(M, 3)
ALL(T)
static const evaluate table[] = {ALL(N)};

#define CODES (1 << 14)
static const void *codes[CODES];
static int numbers[CODES];
static int filled;

static unsigned place(const void *code) {
  unsigned at = (unsigned)(((uintptr_t)code >> 4) * 0x9E3779B97F4A7C15ull >> 50);
  while (codes[at] && codes[at] != code) at = (at + 1) & (CODES - 1);
  return at;
}

/* Give a code object its number; 0 if there is no room. */
int gate_name(const void *code, int number) {
  unsigned at;
  if (number < 0 || number >= (int)(sizeof table / sizeof *table) || filled > CODES / 2) return 0;
  at = place(code);
  if (!codes[at]) filled++;
  codes[at] = code;
  numbers[at] = number;
  return 1;
}

void *gate_evaluate(void *thread, void *frame, int raising) {
  const void *code = (const void *)(*(uintptr_t *)((char *)frame + code_at) & ~(uintptr_t)3);
  unsigned at = place(code);
  if (!codes[at]) return real_evaluate(thread, frame, raising);
  return table[numbers[at]](thread, frame, raising);
}

/* `set` is _PyInterpreterState_SetEvalFrameFunc, `evaluate_frame` _PyEval_EvalFrameDefault. */
void gate_hook(void (*set)(void *, evaluate), void *interpreter, evaluate evaluate_frame, int offset) {
  real_evaluate = evaluate_frame;
  code_at = offset;
  set(interpreter, gate_evaluate);
}
