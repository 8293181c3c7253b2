import pytest

from demo_stack.processes import DemoError
from demo_stack.ptrace import check_ptrace


def test_only_others_than_root_under_yama_are_refused(tmp_path):
    scope = tmp_path / "ptrace_scope"
    check_ptrace(1000, scope)
    scope.write_text("0\n")
    check_ptrace(1000, scope)
    scope.write_text("1\n")
    check_ptrace(0, scope)
    with pytest.raises(DemoError, match="sysctl kernel.yama.ptrace_scope=0"):
        check_ptrace(1000, scope)
