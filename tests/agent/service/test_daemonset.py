"""The Kubernetes example holds together: names, volumes, the one capability, the group."""

from pathlib import Path
from typing import Any

import yaml

from agent.command import run_command

FILE = Path(__file__).parents[3] / "agent" / "service" / "daemonset.yaml"
RINGS = "/dev/shm/dynoscope"


def documents() -> dict[str, Any]:
    return {one["kind"]: one for one in yaml.safe_load_all(FILE.read_text())}


def pod() -> Any:
    return documents()["DaemonSet"]["spec"]["template"]["spec"]


def agent() -> Any:
    (only,) = pod()["containers"]
    return only


def test_each_kind_has_its_version_and_the_names_agree():
    kinds = documents()
    assert {kind: one["apiVersion"] for kind, one in kinds.items()} == {
        "Namespace": "v1", "ServiceAccount": "v1", "DaemonSet": "apps/v1", "Pod": "v1",
    }  # fmt: skip
    space = kinds["Namespace"]["metadata"]["name"]
    daemon = kinds["DaemonSet"]
    assert space == daemon["metadata"]["namespace"]
    assert space == kinds["ServiceAccount"]["metadata"]["namespace"]
    assert pod()["serviceAccountName"] == kinds["ServiceAccount"]["metadata"]["name"]
    selected = daemon["spec"]["selector"]["matchLabels"].items()
    assert selected <= daemon["spec"]["template"]["metadata"]["labels"].items()


def test_every_mount_has_its_volume_and_every_volume_a_mount():
    for spec in (pod(), documents()["Pod"]["spec"]):
        containers = [*spec.get("initContainers", []), *spec["containers"]]
        mounted = {mount["name"] for one in containers for mount in one["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}


def test_agent_and_application_share_the_ring_folder_and_its_group():
    application = documents()["Pod"]["spec"]
    for spec in (pod(), application):
        (folder,) = (one["hostPath"] for one in spec["volumes"] if one["name"] == "rings")
        assert folder["path"] == RINGS
        for one in [*spec.get("initContainers", []), *spec["containers"]]:
            assert RINGS in [mount["mountPath"] for mount in one["volumeMounts"]]
    (group,) = pod()["securityContext"]["supplementalGroups"]
    assert application["securityContext"]["supplementalGroups"] == [group]
    (folder_maker,) = pod()["initContainers"]
    assert folder_maker["command"] == ["install", "-d", "-m", "2770", "-g", str(group), RINGS]


def test_it_sees_the_nodes_processes_with_one_capability():
    assert pod()["hostPID"] is True
    assert not pod().get("hostNetwork") and not pod()["automountServiceAccountToken"]
    allowed = [one["securityContext"] for one in [*pod()["initContainers"], agent()]]
    assert [one["capabilities"].get("add", []) for one in allowed] == [[], ["SYS_PTRACE"]]
    for one in allowed:
        assert one["capabilities"]["drop"] == ["ALL"]
        assert one["readOnlyRootFilesystem"] and not one["allowPrivilegeEscalation"]
        assert not one.get("privileged")


def test_its_command_and_environment_are_the_agents():
    words = agent()["args"]
    flags = {flag for option in run_command.params for flag in option.opts}
    assert words[:3] == ["dynoscope", "agent", "run"]
    assert {word for word in words if word.startswith("--")} <= flags
    known = {f"DYNOSCOPE_{flag.lstrip('-').replace('-', '_').upper()}" for flag in flags}
    assert {one["name"] for one in agent()["env"]} <= known
    paths = [mount["mountPath"] for mount in agent()["volumeMounts"]]
    for flag in ("--spool", "--token-file"):
        value = words[words.index(flag) + 1]
        assert any(value.startswith(path) for path in paths)
    assert pod()["terminationGracePeriodSeconds"] > 5
