import subprocess
import sys

from agent.lean import clean_ranges
from tests.agent.processes import ROOT

SMAPS = """\
1000-3000 r-xp 00000000 fd:00 77 /lib/a.so
Rss:                   8 kB
Private_Dirty:         0 kB
Shared_Dirty:          0 kB
Anonymous:             0 kB
VmFlags: rd ex
4000-5000 r--p 00000000 fd:00 77 /lib/a.so
Rss:                   4 kB
Private_Dirty:         4 kB
Shared_Dirty:          0 kB
Anonymous:             4 kB
6000-7000 rw-p 00000000 fd:00 77 /lib/a.so
Rss:                   4 kB
Private_Dirty:         0 kB
Shared_Dirty:          0 kB
Anonymous:             0 kB
8000-9000 r-xp 00000000 00:00 0 [vdso]
Rss:                   4 kB
Private_Dirty:         0 kB
Shared_Dirty:          0 kB
Anonymous:             0 kB
a000-b000 r--p 00000000 fd:00 78 /lib/b.so
Rss:                   4 kB
Private_Dirty:         0 kB
Shared_Dirty:          0 kB
Anonymous:             0 kB
"""

AGENT_LIKE = """
from agent.lean import give_back, settle_in, shed
settle_in()
import resource, sys
import agent.run, pyarrow
def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20
before = resident_mb()
let_go_mb = shed() / 2**20
after = resident_mb()
table = pyarrow.table({"a": list(range(1000))})
give_back()
assert sum(table.column("a").to_pylist()) == 499500
assert "pandas" not in sys.modules and "httpx" not in sys.modules and "rich" not in sys.modules
print(pyarrow.default_memory_pool().backend_name, before - after, let_go_mb)
"""


def test_only_pages_that_equal_their_file_are_let_go():
    assert list(clean_ranges(SMAPS.splitlines(keepends=True))) == [
        (0x1000, 0x2000, 8 << 10),
        (0xA000, 0x1000, 4 << 10),
    ]


def test_what_only_loading_touched_is_let_go_and_everything_works_on():
    command = [sys.executable, "-c", AGENT_LIKE]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    backend, fell_mb, let_go_mb = said.split()
    assert backend == "system"
    assert float(let_go_mb) > 10 and float(fell_mb) > 10
