"""Manifests of Kubernetes, where there is none: held against its schemas, and what they allow worked out as Kubernetes does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import kubernetes_validate
import pytest
import ray
import yaml

LAUNCH = Path(__file__).resolve().parents[3] / "cluster" / "launch"
KUBERNETES = "1.33"
Manifest: TypeAlias = Mapping[str, Any]
OBJECTS = [
    (path.name, entry)
    for path in sorted((LAUNCH / "kubernetes").glob("*.yaml"))
    for entry in yaml.safe_load_all(path.read_text())
    if entry["kind"] != "Kustomization"
]


def of_kind(kind: str) -> Iterator[Manifest]:
    """The objects of a kind."""
    return (entry for _, entry in OBJECTS if entry["kind"] == kind)


(RAY,) = of_kind("RayCluster")


def pods() -> Iterator[tuple[str, Manifest]]:
    """Every pod by its role, with the labels that the operator adds."""
    for entry in (*of_kind("Deployment"), *of_kind("StatefulSet")):
        yield entry["metadata"]["name"], entry["spec"]["template"]
    for entry in of_kind("CronJob"):
        yield entry["metadata"]["name"], entry["spec"]["jobTemplate"]["spec"]["template"]
    for role, group in [("head", RAY["spec"]["headGroupSpec"]), *(("worker", each) for each in RAY["spec"]["workerGroupSpecs"])]:
        added = {"ray.io/cluster": RAY["metadata"]["name"], "ray.io/node-type": role}
        template = group["template"]
        yield role, template | {"metadata": {"name": role, "labels": template["metadata"]["labels"] | added}}


PODS: Mapping[str, Manifest] = dict(pods())
CONTAINERS = [(name, each) for name, pod in PODS.items() for each in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"])]
NAMED = [f"{name}/{each['name']}" for name, each in CONTAINERS]


def labelled(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """Whether a selector takes an object with these labels; an empty one takes all."""
    wanted = [(key, [value]) for key, value in selector.get("matchLabels", {}).items()]
    for each in selector.get("matchExpressions", []):
        assert each["operator"] == "In"
        wanted.append((each["key"], each["values"]))
    return all(labels.get(key) in values for key, values in wanted)


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Who is spoken to or heard: labels of a pod and of its namespace; without a namespace an address of the internet."""

    namespace: Mapping[str, str] | None
    labels: Mapping[str, str] = field(default_factory=dict)


OURS = {"kubernetes.io/metadata.name": "coinswarm"}
PEERS = {role: Peer(namespace=OURS, labels=pod["metadata"]["labels"]) for role, pod in PODS.items()} | {
    "internet": Peer(namespace=None),
    "names": Peer(namespace={"kubernetes.io/metadata.name": "kube-system"}),
    "clients": Peer(namespace={"kubernetes.io/metadata.name": "ingress", "coinswarm/clients": "true"}),
    "stranger": Peer(namespace={"kubernetes.io/metadata.name": "other"}, labels={"app": "control", "ray": "node"}),
}


def meant(each: Manifest, peer: Peer) -> bool:
    """Whether an entry of `from` or `to` takes a peer."""
    if "ipBlock" in each or peer.namespace is None:
        return not each or ("ipBlock" in each and peer.namespace is None)
    there = labelled(each["namespaceSelector"], peer.namespace) if "namespaceSelector" in each else not each or peer.namespace == OURS
    return there and labelled(each.get("podSelector", {}), peer.labels)


def allowed(role: str, direction: Literal["ingress", "egress"], peer: str, port: int) -> bool:
    """Whether the policies of a pod let it hear a peer, or speak to it: once any is about it, nothing is allowed that none allows."""
    policies = [
        each["spec"] for each in of_kind("NetworkPolicy") if labelled(each["spec"]["podSelector"], PODS[role]["metadata"]["labels"])
    ]
    about = [each for each in policies if direction.capitalize() in each["policyTypes"]]
    rules = [rule for each in about for rule in each.get(direction, [])]
    side = "from" if direction == "ingress" else "to"
    return not about or any(
        any(each["port"] <= port <= each.get("endPort", each["port"]) for each in rule["ports"])
        and any(meant(each, PEERS[peer]) for each in rule.get(side, [{}]))
        for rule in rules
    )


def connects(role: str, peer: str, port: int) -> bool:
    """Whether one pod reaches another: it may speak, and the other may hear it."""
    return allowed(role, "egress", peer, port) and allowed(peer, "ingress", role, port)


RAY_NODES = {"control", "head", "worker"}


@pytest.mark.parametrize("role", sorted(PODS))
def test_only_the_control_plane_and_backups_reach_the_database(role: str) -> None:
    assert connects(role, "postgres", 5432) == (role in {"control", "backup"})


@pytest.mark.parametrize("role", sorted(PODS))
@pytest.mark.parametrize(("peer", "port"), [("head", 6379), ("worker", 34567), ("control", 34567)])
def test_only_nodes_of_ray_reach_each_other(role: str, peer: str, port: int) -> None:
    assert connects(role, peer, port) == (role in RAY_NODES)


@pytest.mark.parametrize("role", sorted(PODS))
def test_the_api_hears_a_labelled_namespace_and_no_pod_of_its_own(role: str) -> None:
    assert not connects(role, "control", 8321)
    assert allowed("control", "ingress", "clients", 8321)
    assert not allowed("control", "ingress", "clients", 6379)


@pytest.mark.parametrize("role", sorted(PODS))
def test_everyone_asks_for_names_and_few_leave_the_cluster(role: str) -> None:
    assert allowed(role, "egress", "names", 53)
    assert allowed(role, "egress", "internet", 443) == (role in {"control", "head"})  # exchanges; the autoscaler's Kubernetes
    assert not allowed(role, "egress", "internet", 80)
    assert not any(allowed(role, "ingress", outside, port) for outside in ("internet", "stranger") for port in (443, 5432, 6379, 8321))


@pytest.mark.parametrize(("role", "container"), CONTAINERS, ids=NAMED)
def test_a_container_has_no_rights_that_it_does_not_need(role: str, container: Manifest) -> None:
    pod = PODS[role]["spec"]["securityContext"]
    assert (pod["runAsNonRoot"], pod["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    rights = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["securityContext"] == rights
    assert RAY["spec"]["autoscalerOptions"]["securityContext"] == rights
    assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize(("role", "container"), CONTAINERS, ids=NAMED)
def test_a_container_asks_for_what_it_needs_and_is_stopped_at_what_it_may_have(role: str, container: Manifest) -> None:
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("role", sorted(set(PODS) - {"head"}))
def test_no_pod_but_that_of_the_autoscaler_may_ask_kubernetes(role: str) -> None:
    assert PODS[role]["spec"]["automountServiceAccountToken"] is False


def test_without_its_database_the_control_plane_is_unready_and_not_restarted() -> None:
    (control,) = PODS["control"]["spec"]["containers"]
    asked = {name: control[f"{name}Probe"]["exec"]["command"][-1] for name in ("readiness", "liveness", "startup")}
    assert {name: "/ready" in command for name, command in asked.items()} == {"readiness": True, "liveness": False, "startup": False}
    assert all("/health" in asked[name] for name in ("liveness", "startup"))


def test_a_database_that_recovers_is_not_restarted() -> None:
    (postgres,) = PODS["postgres"]["spec"]["containers"]
    assert postgres["livenessProbe"]["exec"]["command"][-1].endswith("|| test $? = 1")
    assert "test" not in postgres["readinessProbe"]["exec"]["command"]


def test_what_every_job_depends_on_is_not_evicted() -> None:
    budgets = [each["spec"] for each in of_kind("PodDisruptionBudget")]
    assert all(each["maxUnavailable"] == 0 for each in budgets)
    held = {role for role, pod in PODS.items() if any(labelled(each["selector"], pod["metadata"]["labels"]) for each in budgets)}
    assert held == {"postgres", "head"}


def test_the_database_asks_everyone_for_a_password() -> None:
    variables = {each["name"]: each.get("value") for each in PODS["postgres"]["spec"]["containers"][0]["env"]}
    compose = yaml.safe_load((LAUNCH.parents[1] / "docker-compose.yml").read_text())["services"]["postgres"]["environment"]
    names = ("POSTGRES_HOST_AUTH_METHOD", "POSTGRES_INITDB_ARGS")
    assert [variables[name] for name in names] == [compose[name] for name in names]


def test_backups_run_one_at_a_time_where_the_bars_are() -> None:
    (job,) = of_kind("CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    (container,) = PODS["backup"]["spec"]["containers"]
    assert container["args"] == ["backup", "--once"]
    (near,) = PODS["backup"]["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert labelled(near["labelSelector"], PODS["control"]["metadata"]["labels"])
    claims = {each["persistentVolumeClaim"]["claimName"] for each in PODS["backup"]["spec"]["volumes"] if "persistentVolumeClaim" in each}
    assert claims == {entry["metadata"]["name"] for entry in of_kind("PersistentVolumeClaim")}


def test_every_node_of_kubernetes_shows_the_token_of_the_cluster() -> None:
    assert RAY["spec"]["authOptions"] == {"mode": "token"}
    variables = {each["name"]: each for each in PODS["control"]["spec"]["containers"][0]["env"]}
    assert variables["RAY_AUTH_MODE"]["value"] == "token"
    secret = {"name": RAY["metadata"]["name"], "key": "auth_token"}
    assert variables["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"] == secret


@pytest.mark.parametrize(("file", "entry"), OBJECTS, ids=[f"{name}/{entry['kind']}" for name, entry in OBJECTS])
def test_a_kubernetes_object_fits_its_schema(file: str, entry: Mapping[str, Any]) -> None:
    if entry["kind"] == "RayCluster":
        for name in ("head", "worker"):
            kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", **PODS[name]}, KUBERNETES, strict=True)
        assert entry["spec"]["rayVersion"] == ray.__version__, file
    else:
        kubernetes_validate.validate(dict(entry), KUBERNETES, strict=True)


def test_the_kustomization_lists_every_manifest_but_the_example_of_secrets() -> None:
    listed = yaml.safe_load((LAUNCH / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in (LAUNCH / "kubernetes").glob("*.yaml")}
    assert set(listed) == there - {"kustomization.yaml", "secrets.example.yaml"}
