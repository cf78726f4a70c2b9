"""The files in deploy/ set only what the shop reads, and agree with its settings."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings, list_variables
from tests.process import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))

OF_OTHERS = {
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"},
    "caddy": {"DOMAIN"},
}
"""What other images read: PostgreSQL's own variables, and what the Caddyfile puts in."""

INTERPOLATED = {"POSTGRES_PASSWORD", "SECRET_KEY", "DOMAIN", "CARTWHEEL_VERSION"}
SETTINGS = {variable.name for variable in list_variables()}
OF_THE_SYSTEM = {"PATH"}


def services_of(image: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, service in COMPOSE["services"].items():
        if service["image"].partition(":")[0] == image:
            yield name, service


def variables_of_unit(unit: Path) -> dict[str, str]:
    lines = re.findall(r"^Environment=(.*)$", unit.read_text("utf-8"), re.MULTILINE)
    pairs = (pair.partition("=") for line in lines for pair in shlex.split(line))
    return {name: value for name, _, value in pairs}


def variables_of_image() -> dict[str, str]:
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    pairs = (
        pair.partition("=") for line in re.findall(r"^ENV (.*)$", text, re.MULTILINE) for pair in line.split()
    )
    return {name: value for name, _, value in pairs}


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def test_the_image_sets_only_known_settings() -> None:
    assert set(variables_of_image()) <= SETTINGS | OF_THE_SYSTEM


def test_the_image_is_slim_and_does_not_run_as_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    last_stage = text.rpartition("\nFROM ")[2]
    assert all("-slim" in base for base in bases)
    assert re.findall(r"^USER (\w+)$", last_stage, re.MULTILINE) == ["cartwheel"]
    assert "HEALTHCHECK" in last_stage
    assert "RUN /source/deploy/install.sh /opt/cartwheel" in text


def test_the_image_gets_every_part_of_the_shop() -> None:
    """What `pip install` needs, by the list of the project's packages, is not left out of the image."""
    ignore = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    kept = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    packages = re.search(r"\[tool.setuptools.packages.find\]\ninclude = \[(.*?)\]", project, re.DOTALL)
    assert packages
    assert set(re.findall(r'"(\w+)\*"', packages[1])) <= kept
    assert {"app.py", "cli.py", "pyproject.toml", "requirements.txt", "README.md", "LICENSE"} <= kept
    assert all((ROOT / name).exists() for name in kept)


def test_the_services_set_only_known_settings() -> None:
    known = {"cartwheel": SETTINGS, **OF_OTHERS}
    for name, service in COMPOSE["services"].items():
        image = service["image"].partition(":")[0]
        assert set(service.get("environment", {})) <= known.get(image, set()), name


def test_the_settings_of_the_services_are_valid() -> None:
    example = {"POSTGRES_PASSWORD": "a-password", "DOMAIN": "shop.example", "SECRET_KEY": "k" * 48}

    def interpolate(text: str) -> str:
        return re.sub(r"\$\{(\w+)[^}]*\}", lambda match: example[match[1]], text)

    for _, service in services_of("cartwheel"):
        values = variables_of_image() | {
            name: interpolate(value) for name, value in service["environment"].items()
        }
        del values["PATH"]
        overrides: dict[str, object] = {name.lower(): value for name, value in values.items()}
        settings = Settings.from_environment(env_file=None, **overrides)
        assert settings.deployment.is_production
        assert not settings.offers_sandbox


def test_every_setting_of_the_file_reaches_each_process_of_the_shop_and_nobody_else() -> None:
    """Paths in a compose file start at the project directory, which the command at its top names."""
    files = {name: service.get("env_file") for name, service in COMPOSE["services"].items()}
    of_the_shop = {name for name, _ in services_of("cartwheel")}
    assert files == {name: ["deploy/.env"] if name in of_the_shop else None for name in files}
    head = (DEPLOY / "compose.yaml").read_text("utf-8").partition("\nname:")[0]
    assert "cp deploy/env.example deploy/.env" in head
    assert "--project-directory . " in head


def test_two_servers_and_a_worker_stand_behind_a_proxy() -> None:
    shop = dict(services_of("cartwheel"))
    commands = {name: service.get("command", "serve") for name, service in shop.items()}
    assert commands == {
        "migrate": ["cartwheel", "migrate"],
        "server-1": "serve",
        "server-2": "serve",
        "worker": ["cartwheel", "worker"],
    }
    published = [name for name, service in COMPOSE["services"].items() if "ports" in service]
    assert published == ["proxy"]
    proxy = (DEPLOY / "Caddyfile").read_text("utf-8")
    assert f"server-1:{variables_of_image()['PORT']} server-2:{variables_of_image()['PORT']}" in proxy


def test_servers_start_after_the_migration_and_the_migration_after_the_database() -> None:
    shop = dict(services_of("cartwheel"))
    assert shop["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    for name in ("server-1", "server-2", "worker"):
        assert shop[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_service_is_limited_and_started_again() -> None:
    for name, service in COMPOSE["services"].items():
        assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"]), name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped"), name


def test_a_stop_takes_longer_than_the_shop_needs() -> None:
    needed = Settings.from_environment(env_file=None).server.shutdown_seconds
    for name, service in services_of("cartwheel"):
        needed = int(service["environment"].get("SHUTDOWN_SECONDS", needed))
        assert seconds(service["stop_grace_period"]) > needed, name
    for unit in UNITS:
        [stop] = re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text("utf-8"), re.MULTILINE)
        assert int(stop) > needed


def test_the_shop_trusts_the_network_of_its_proxy_and_no_other() -> None:
    [subnet] = [each["subnet"] for each in COMPOSE["networks"]["outside"]["ipam"]["config"]]
    assert {service["environment"]["TRUSTED_PROXIES"] for _, service in services_of("cartwheel")} == {subnet}
    assert COMPOSE["services"]["proxy"]["networks"] == ["outside"]
    assert COMPOSE["services"]["db"]["networks"] == COMPOSE["services"]["redis"]["networks"] == ["inside"]


def test_the_example_has_every_value_that_the_services_ask_for() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    example = (DEPLOY / "env.example").read_text("utf-8")
    assert set(re.findall(r"\$\{(\w+)", text)) == INTERPOLATED
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == INTERPOLATED
    assert re.search(r"^SECRET_KEY=$", example, re.MULTILINE), "no secret is given away"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_sets_only_known_settings(unit: Path) -> None:
    assert variables_of_unit(unit)
    assert set(variables_of_unit(unit)) <= SETTINGS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
def test_a_unit_passes_the_check_of_systemd(unit: Path, tmp_path: Path) -> None:
    """With the command in its place. An unknown name is only a warning, so none is allowed."""
    command = tmp_path / "opt/cartwheel/bin/cartwheel"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text("utf-8").replace("/opt/cartwheel", f"{tmp_path}/opt/cartwheel"))
    verified = subprocess.run(
        ["systemd-analyze", "--man=no", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
