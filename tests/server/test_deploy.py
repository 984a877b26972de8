"""The container file and the manifest keep the promises of the server."""

import json
import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from musicvae.commands.serving import serve
from musicvae.server import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
OBJECTS = {
    each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
}
POD = OBJECTS["Deployment"]["spec"]["template"]
CONTAINER = POD["spec"]["containers"][0]


def instructions():
    """The instructions of the container file, the last of each name."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Containerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(maxsplit=1) for line in lines)


@pytest.mark.parametrize("kind", OBJECTS)
def test_manifest_is_of_the_schema_of_kubernetes(kind):
    kubernetes_validate.validate(OBJECTS[kind], "1.31", strict=True)


def test_container_starts_the_server_that_the_manifest_probes():
    found = instructions()
    command = [*json.loads(found["ENTRYPOINT"]), *json.loads(found["CMD"])]
    assert command[:2] == ["musicvae", "serve"]
    options = serve.make_context("serve", command[2:]).params
    assert options["host"] == options["metrics_host"] == "0.0.0.0"  # noqa: S104  # in a container
    assert options["allow_plain"]
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"grpc": options["port"], "metrics": options["metrics_port"]}
    assert found["EXPOSE"].split() == [str(port) for port in ports.values()]
    assert CONTAINER["startupProbe"]["grpc"] == CONTAINER["readinessProbe"]["grpc"]
    assert CONTAINER["readinessProbe"]["grpc"] == {"port": options["port"]}
    assert OBJECTS["Service"]["spec"]["ports"][0]["port"] == options["port"]
    compile(json.loads(found["HEALTHCHECK"].split("CMD", 1)[1])[2], "HEALTHCHECK", "exec")


def test_container_holds_the_wheel_alone_and_no_rights():
    found = instructions()
    built, folder = found["COPY"].split()
    wheel = folder + Path(built).name
    assert built.endswith(".whl") and "[" not in built  # no extras, so no torch
    assert re.findall(r"pip install (?:--\S+ )*(\S+)", found["RUN"]) == [wheel]
    assert int(found["USER"]) == POD["spec"]["securityContext"]["runAsUser"] > 0
    assert f"--uid {found['USER']} " in found["RUN"]


def test_calls_in_flight_may_end_before_a_pod_is_killed():
    settings = Settings()
    assert POD["spec"]["terminationGracePeriodSeconds"] > settings.pause_s + settings.grace_s


def test_objects_of_the_manifest_mean_the_same_pods():
    labels = POD["metadata"]["labels"].items()
    kinds = ("Deployment", "PodDisruptionBudget")
    selectors = [OBJECTS[kind]["spec"]["selector"]["matchLabels"] for kind in kinds]
    selectors.append(OBJECTS["Service"]["spec"]["selector"])
    assert all(selector and selector.items() <= labels for selector in selectors)
    target = OBJECTS["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target["name"] == OBJECTS["Deployment"]["metadata"]["name"]


def test_pods_are_scaled_by_a_metric_that_the_server_shows():
    (metric,) = OBJECTS["HorizontalPodAutoscaler"]["spec"]["metrics"]
    name = metric["pods"]["metric"]["name"]
    dashboard = (DEPLOY / "grafana-dashboard.json").read_text()  # compared with the real metrics
    assert re.search(rf"\b{name}\b", dashboard)
