"""The ring: one file per worker process, written by the probe, read by the agent.

``<ring_dir>/<pid>-<ring_id as 16 hex digits>.ring``, all numbers little-endian::

    offset  size   what
    0       4096   header (HEADER, then COUNTERS at 1024, CONTROL at 2048)
    4096    S      string table: entries of u32 CRC32, u16 length, UTF-8 bytes; ids count from 1
    4096+S  T*64   in-flight slots, one per thread (SLOT)
    ...     N*256  record slots (RECORD); record `seq` lives in slot `seq % N`
    ...     D*128  detail slots (SPAN, FUNCTION_COST); detail `seq` lives in slot `seq % D`

Writers: the worker only, but for CONTROL, which the agent may write. Readers trust nothing: a
header with a wrong CRC is refused, a string or a record with a wrong CRC is skipped and counted, a
record whose seq is not the expected one was overwritten (or not yet written).

One writer call stores one whole record, so with the interpreter lock held a record is torn only by
a kill in the middle of the copy, which its CRC shows. Threads take a seq just before they store:
a slot up to `written` that still holds an older seq is about to be stored by another thread.
"""

from struct import Struct

__all__ = [
    "CONTROL",
    "CONTROL_BYTES",
    "CONTROL_FIELDS",
    "CONTROL_HEAD_BYTES",
    "CONTROL_OFFSET",
    "COUNTERS",
    "COUNTERS_OFFSET",
    "COUNTER_NAMES",
    "DETAIL_BODY_BYTES",
    "DETAIL_BYTES",
    "DETAIL_FUNCTION_COST",
    "DETAIL_PREFIX",
    "DETAIL_SPAN",
    "FUNCTION_COST",
    "FUNCTION_COST_FIELDS",
    "HEADER",
    "HEADER_BYTES",
    "HEADER_FIELDS",
    "KINDS",
    "MAGIC",
    "OUTCOMES",
    "RECORD",
    "RECORD_BYTES",
    "RECORD_FIELDS",
    "RECORD_PREFIX",
    "SLOT",
    "SLOT_BYTES",
    "SLOT_FIELDS",
    "SPAN",
    "SPAN_FIELDS",
    "SPAN_KINDS",
    "STRING_BYTES_MAX",
    "STRING_PREFIX",
    "UNITS",
    "VERSION",
    "WISH_REQUESTS_MAX",
]

MAGIC = b"DYNORING"
VERSION = 2
HEADER_BYTES = 4096
RECORD_BYTES = 256
DETAIL_BYTES = 128
SLOT_BYTES = 64
STRING_BYTES_MAX = 4096

#: Codes in the ring -> the words of the tables.
UNITS = ("none", "cpu_ns", "instructions")
KINDS = ("http", "task")
OUTCOMES = ("ok", "error", "killed", "disconnected")
SPAN_KINDS = ("request", "task", "db", "cache", "rpc")

#: Fixed once the ring is made; a CRC32 of the packed bytes (u32) follows at offset HEADER.size.
#: Strings are ids into the string table. `process_start_ticks` is field 22 of /proc/PID/stat and
#: tells a worker from a later process with its pid; `pid_namespace` is the inode of
#: /proc/self/ns/pid. `sys_path` is the worker's sys.path joined by newlines: the agent makes module
#: names of file names with it.
HEADER = Struct("<8sIIQIIQQQIIIIIIB3x8III")
HEADER_FIELDS = (
    "magic",
    "version",
    "header_bytes",
    "ring_id",
    "pid",
    "worker",
    "pid_namespace",
    "created_ns",
    "process_start_ticks",
    "strings_offset",
    "strings_bytes",
    "slots_offset",
    "slot_count",
    "records_offset",
    "record_count",
    "unit",
    "service_id",
    "host_id",
    "region_id",
    "release_id",
    "runtime_id",
    "cpu_model_id",
    "unit_reason_id",
    "sys_path_id",
    "details_offset",
    "details_count",
)

#: u64 each, at COUNTERS_OFFSET, rewritten in place. `written`: the newest seq. `strings_used`:
#: bytes of the string table in use. `details_written`: the newest seq of a detail. The rest count
#: what was lost, since the ring was made.
COUNTERS_OFFSET = 1024
COUNTER_NAMES = (
    "written",
    "strings_used",
    "details_written",
    "strings_full",
    "endpoints_over",
    "slots_full",
    "counter_multiplexed",
    "counter_failed",
    "probe_errors",
    "bad_settings",
    "requests_unrecorded",  # served before this ring could be had
    "spans_over",
    "profiles_refused",  # a profiler was active, or the request could not be profiled
    "profile_pairs_over",  # functions and callers that a profile adds up as (other)
    "wishes_refused",  # control words that are no wish
)
COUNTERS = Struct("<%dQ" % len(COUNTER_NAMES))

#: 64 bytes that the agent may write: a wish for deep profiles. Zero: no wish. The agent writes what
#: comes after CONTROL_HEAD_BYTES first, then the head in one go: a new head is a new wish.
CONTROL_OFFSET = 2048
CONTROL_BYTES = 64
CONTROL_HEAD_BYTES = 8
CONTROL = Struct("<IIIIQ40x")
CONTROL_FIELDS = (
    "crc",  # CRC32 of all that follows it
    "number",  # of the wish
    "endpoint_id",
    "requests",  # how many this worker is to profile, at most WISH_REQUESTS_MAX
    "expires_s",  # epoch
)
WISH_REQUESTS_MAX = 1000

STRING_PREFIX = Struct("<IH")

#: One per thread that serves requests: what is in flight. `busy` is 1 from the start of a request
#: to its end. A slot whose process is gone while busy is a request that was killed. trace_id: two
#: halves, high first.
SLOT = Struct("<IIQQIIQQ16x")
SLOT_FIELDS = (
    "busy",
    "thread_id",
    "started_ns",
    "started_monotonic_ns",
    "endpoint_id",
    "kind",
    "trace_id_high",
    "trace_id_low",
)

#: seq (from 1; 0 is an empty slot), then the CRC32 of all that follows it in the slot (RECORD).
RECORD_PREFIX = Struct("<QI")
RECORD = Struct("<BBBBHHQQQQIIIIIIQQQQIIQQQQQIIIIIIQQQB3xI")
RECORD_FIELDS = (
    "kind",  # index into KINDS
    "outcome",  # index into OUTCOMES
    "unit",  # index into UNITS
    "trace_sampled",
    "status",
    "reserved",
    "started_ns",  # epoch
    "wall_ns",
    "cost",
    "task_clock_ns",
    "ctx_switches",
    "worker_req",  # the worker's n-th request, from 1
    "endpoint_id",
    "flags_id",  # string: name=value, sorted, joined by \x1f; 0: none
    "error_id",  # string: type \x1f message (scrubbed) \x1f top frames, a line each; 0: none
    "worker_age_s",
    "db_ns",
    "cache_ns",
    "rpc_ns",
    "gc_ns",
    "db_calls",
    "cache_calls",
    "trace_id_high",
    "trace_id_low",
    "span_id",
    "user_hash",
    "error_fp",
    "statement1_id",
    "statement1_calls",
    "statement2_id",
    "statement2_calls",
    "statement3_id",
    "statement3_calls",
    "statement1_ns",
    "statement2_ns",
    "statement3_ns",
    "thread_slot",  # 255: its thread found no slot free
    "rpc_calls",
)

#: seq (from 1; 0 is an empty slot), then the CRC32 of the body, which fills the slot. The body's
#: first byte says what it is: DETAIL_SPAN or DETAIL_FUNCTION_COST.
DETAIL_PREFIX = Struct("<QI")
DETAIL_BODY_BYTES = DETAIL_BYTES - DETAIL_PREFIX.size
DETAIL_SPAN = 1
DETAIL_FUNCTION_COST = 2

SPAN = Struct("<BBBxHxxIIQQQQQQ52x")
SPAN_FIELDS = (
    "type",  # DETAIL_SPAN
    "kind",  # index into SPAN_KINDS
    "outcome",  # index into OUTCOMES
    "status",  # HTTP status, 0: none
    "name_id",
    "endpoint_id",
    "started_ns",  # epoch
    "wall_ns",
    "trace_id_high",
    "trace_id_low",
    "span_id",
    "parent_id",  # 0: none
)

#: What one function cost in one profiled request, when it was called by one other function.
FUNCTION_COST = Struct("<BBxxIIIIQQQQQ56x")
FUNCTION_COST_FIELDS = (
    "type",  # DETAIL_FUNCTION_COST
    "unit",  # index into UNITS
    "function_id",  # string: module:qualname
    "caller_id",  # string: module:qualname; 0: called by nothing that was profiled
    "endpoint_id",
    "calls",
    "cost_self",
    "cost_inclusive",
    "started_ns",  # epoch; of the request
    "trace_id_high",
    "trace_id_low",
)
