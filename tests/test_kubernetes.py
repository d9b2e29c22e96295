"""What the manifests in deploy/kubernetes/ name exists: commands, flags, variables, secrets.

No cluster runs them here; these are the mistakes that can be seen without.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from indexer.cli import indexer
from search_api.access import NEEDED, OPEN
from search_api.cli import search_api
from search_api.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
OBJECTS: list[dict[str, Any]] = [
    each
    for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
    for each in yaml.safe_load_all(path.read_text())
]
PODS = {
    each["metadata"]["name"]: each["spec"]["template"]
    for each in OBJECTS
    if "template" in each.get("spec", {})
}
CONTAINERS = [
    pytest.param(pod["spec"], container, id=f"{name}-{container['name']}")
    for name, pod in PODS.items()
    for container in [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
]
SECRETS = {
    line.split()[4]: set(re.findall(r"--from-[\w-]+=([\w.-]+)", line))
    for line in (ROOT / "docs/scale.md").read_text().replace("\\\n", "").splitlines()
    if line.startswith("kubectl create secret generic")
}
"""Secret -> its keys, as docs/scale.md makes them."""


def named(kind: str) -> set[str]:
    return {each["metadata"]["name"] for each in OBJECTS if each["kind"] == kind}


def variables(container: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in container.get("env", ())}


def commands(container: dict[str, Any]) -> list[list[str]]:
    command = container.get("command", [])
    if command[:2] != ["sh", "-c"]:
        return [command] if command else []
    return [shlex.split(part.removeprefix(" exec")) for part in command[2].split("&&")]


@pytest.mark.parametrize(("pod", "container"), CONTAINERS)
def test_nobody_is_root_or_writes_into_the_image(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["automountServiceAccountToken"] is False
    locked = container["securityContext"]
    assert locked["readOnlyRootFilesystem"] is True
    assert locked["allowPrivilegeEscalation"] is False
    assert locked["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(("pod", "container"), CONTAINERS)
def test_our_commands_and_their_flags_exist(pod: dict[str, Any], container: dict[str, Any]) -> None:
    del pod
    for command in commands(container):
        if command[0] == "indexer":
            assert_accepted(command[1:])
        elif command[0] == "ray":
            pytest.importorskip("ray", reason="ray is not installed: pip install 'lineup[ray]'")
            told = [sys.executable, "-m", "ray.scripts.scripts", command[1], "--help"]
            help_ = subprocess.run(told, capture_output=True, text=True, check=True).stdout
            assert all(flag in help_ for flag in flags(command))
    for name in variables(container):
        if name.startswith("LINEUP_") and name not in ("LINEUP_CACHE", "LINEUP_CORES"):
            assert name.removeprefix("LINEUP_").lower() in Settings.model_fields


def flags(command: list[str]) -> set[str]:
    return {part.split("=")[0] for part in command if part.startswith("--")}


def assert_accepted(arguments: list[str]) -> None:
    """Up to where the command would begin to work."""
    group: click.Command = indexer
    context = click.Context(indexer)
    while isinstance(group, click.Group):
        found = group.get_command(context, arguments.pop(0))
        assert found is not None
        group = found
    known = {flag for parameter in group.params for flag in parameter.opts}
    assert flags(arguments) <= known
    needed = [p for p in group.params if p.required and p.name != "index_path"]
    assert len([a for a in arguments if not a.startswith("-")]) >= len(needed)


@pytest.mark.parametrize(("pod", "container"), CONTAINERS)
def test_secrets_volumes_and_services_are_there(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    for each in container.get("envFrom", ()):
        assert each["secretRef"]["name"] in SECRETS
    for each in variables(container).values():
        if reference := each.get("valueFrom", {}).get("secretKeyRef"):
            assert reference["key"] in SECRETS[reference["name"]]
        elif found := re.search(r"@([\w-]+)/", each.get("value", "")):
            assert found[1] in named("Service")
    spoken = " ".join(part for command in commands(container) for part in command)
    hosts = re.findall(r"http://([\w-]+):|--address=([\w-]+):", spoken)
    assert {one or other for one, other in hosts} <= named("Service")
    claims = pod.get("volumes", [])
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted <= {volume["name"] for volume in claims} | {"data"}
    for volume in claims:
        if "persistentVolumeClaim" in volume:
            assert volume["persistentVolumeClaim"]["claimName"] in named("PersistentVolumeClaim")
        if "secret" in volume:
            assert volume["secret"]["secretName"] in SECRETS


def test_services_select_pods_and_only_ours_reach_the_stores() -> None:
    labels = [pod["metadata"]["labels"] for pod in PODS.values()]
    for each in OBJECTS:
        if each["kind"] == "Service":
            assert any(each["spec"]["selector"].items() <= label.items() for label in labels)
    [policy] = [each for each in OBJECTS if each["kind"] == "NetworkPolicy"]
    [allowed] = policy["spec"]["ingress"][0]["from"]
    reached = {
        name
        for name, pod in PODS.items()
        if allowed["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    }
    told = {
        name for name, pod in PODS.items() if "postgresql+psycopg" in str(pod) and "build" in name
    }
    assert reached == told | {"search-api"}


def test_the_service_is_asked_where_no_key_is_needed() -> None:
    [container] = PODS["search-api"]["spec"]["containers"]
    port = Settings.model_fields["port"].default
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert (NEEDED["GET", asked["path"]], asked["port"]) == (OPEN, port)
    grace = PODS["search-api"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > Settings.model_fields["shutdown_timeout"].default
    comment = (ROOT / "deploy/kubernetes/search-api.yaml").read_text().split("-- search-api ")[1]
    arguments = shlex.split(comment.split("\n")[0])
    help_ = CliRunner().invoke(search_api, [*arguments[:2], "--help"]).output
    assert flags(arguments) <= set(re.findall(r"--[\w-]+", help_))
