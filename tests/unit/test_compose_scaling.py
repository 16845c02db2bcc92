"""The container files hold for several replicas behind the proxy, within limits, on networks of their own."""

import re
from ipaddress import ip_network
from typing import Any

import pytest

from backend.bootstrap.pages import USUAL_PORT
from backend.core.config import Settings
from deploy.scaled.topology import REDIS_OPTIONS
from tests.unit.test_compose import COMPOSE, OURS, ROOT, SERVICES, settings_of

ONE_SHOT = {"migrate", "models"}
"""They do their work and end."""
TEMPLATE = (ROOT / "deploy" / "nginx.conf.template").read_text(encoding="utf-8")
PROXY: dict[str, Any] = SERVICES["proxy"]
KEYS = {
    *("image", "build", "command", "entrypoint", "environment", "volumes", "ports", "networks", "depends_on", "healthcheck"),
    *("restart", "init", "stop_grace_period", "cap_drop", "security_opt", "shm_size", "deploy"),
}
ADDRESSED = re.compile(r"http://127\.0\.0\.1:(\d+)(/[\w/-]*)")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_described_with_what_compose_knows_and_bounded(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]

    assert set(service) <= KEYS
    assert set(limits) == {"memory", "cpus"}
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    assert isinstance(limits["cpus"], str)
    assert service["restart"] in {"unless-stopped", "on-failure", "no"}
    assert all(isinstance(value, str) for value in service.get("environment", {}).values())


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT))
def test_whatever_stays_tells_whether_it_is_healthy(name: str) -> None:
    assert "test" in SERVICES[name]["healthcheck"]


@pytest.mark.parametrize("name", ["api", "worker"])
def test_what_is_scaled_has_no_name_and_no_port_of_its_own(name: str) -> None:
    assert not {"container_name", "hostname", "ports"} & set(SERVICES[name])


def test_replicas_share_what_running_answers_say() -> None:
    for name in ("api", "worker"):
        url = settings_of(OURS[name]).redis_url
        assert url is not None
        assert url.get_secret_value() == "redis://redis:6379/0"
    assert SERVICES["redis"]["command"] == ["redis-server", *REDIS_OPTIONS]


def test_the_servers_are_on_a_network_without_a_way_out() -> None:
    networks = COMPOSE["networks"]

    assert [name for name, network in networks.items() if network.get("internal")] == ["edge", "private"]
    assert {name for name, service in SERVICES.items() if "outside" in service["networks"]} == {"ollama", "proxy"}
    assert {name for name, service in SERVICES.items() if "edge" in service["networks"]} == {"api", "ui", "proxy"}
    assert "private" not in PROXY["networks"]


def test_the_api_believes_the_network_of_the_proxy() -> None:
    [configured] = COMPOSE["networks"]["edge"]["ipam"]["config"]
    believed = OURS["api"]["environment"]["FORWARDED_ALLOW_IPS"]

    assert believed == configured["subnet"]
    assert ip_network(settings_of(OURS["api"]).forwarded_allow_ips).is_private


def test_each_health_check_asks_where_its_process_answers() -> None:
    asked = {
        name: found.groups()
        for name, service in SERVICES.items()
        for found in [ADDRESSED.search(" ".join(service.get("healthcheck", {}).get("test", [])))]
        if found is not None
    }

    assert asked == {
        "api": (str(Settings.model_fields["port"].default), "/health"),
        "worker": (str(settings_of(OURS["worker"]).metrics_port), "/metrics"),
        "ui": (str(USUAL_PORT), "/_stcore/health"),
        "proxy": ("8080", "/proxy-health"),
    }
    assert settings_of(OURS["worker"]).measured
    assert "location = /proxy-health " in TEMPLATE


def test_the_proxy_is_told_all_that_its_configuration_leaves_open() -> None:
    told = {name: value for name, value in PROXY["environment"].items() if name.startswith("DOCENT_")}

    assert set(re.findall(r"\$\{(\w+)\}", TEMPLATE)) == set(told)
    assert told["DOCENT_LISTEN"] == f"listen {PROXY['ports'][0].rpartition(':')[2]};"
    assert told["DOCENT_API_SERVERS"] == f"server api:{Settings.model_fields['port'].default} resolve;"
    assert told["DOCENT_UI_SERVERS"] == f"server ui:{USUAL_PORT} resolve;"
