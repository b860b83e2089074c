"""Rounds over several servers, of which some fail."""

from collections.abc import Callable

import pytest

from bench.runner import run
from bench.servers import OURS, Server, Sizes
from bench.workloads.workload import Metric, Workload
from builder.errors import ToolError

METRIC = Metric("speed", "tokens/s", is_rate=True)


def server(name: str, *, is_concurrent: bool = True) -> Server:
    return Server(name, [name], lambda sizes: ["-c", str(sizes.n_ctx)], is_concurrent=is_concurrent)


def workload(measure: Callable[[Server, Sizes], dict[str, float]], **options: object) -> Workload:
    return Workload("test", "a test", 2, 512, (METRIC,), measure, **options)  # type: ignore[arg-type] # any option


def test_servers_take_turns_and_warmups_do_not_count() -> None:
    """Each round asks all servers, in order."""
    asked = []

    def measure(each: Server, sizes: Sizes) -> dict[str, float]:
        asked.append(each.name)
        return {"speed": float(len(asked))}

    result = run(
        workload(measure, num_warmups=1), [server(OURS), server("b")], rounds=2, n_threads=1
    )
    assert asked == [OURS, "b"] * 3
    assert result.samples == {
        OURS: [{"speed": 3.0}, {"speed": 5.0}],
        "b": [{"speed": 4.0}, {"speed": 6.0}],
    }
    assert result.commands == {OURS: [OURS, "-c", "1024"], "b": ["b", "-c", "1024"]}


def test_another_server_that_fails_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """The rest goes on, and half a series of the failed one is not reported."""
    num_asked = {OURS: 0, "b": 0}

    def measure(each: Server, sizes: Sizes) -> dict[str, float]:
        num_asked[each.name] += 1
        if each.name == "b" and num_asked["b"] == 2:
            raise ToolError("b ended.", hint="It said: no.")
        return {"speed": 1.0}

    result = run(workload(measure), [server(OURS), server("b")], rounds=3, n_threads=1)
    assert num_asked == {OURS: 3, "b": 2}
    assert list(result.samples) == [OURS]
    assert "b ended. It is left out of test. It said: no." in capsys.readouterr().err


def test_our_own_failure_ends_the_run() -> None:
    """There is nothing to compare with then."""

    def measure(each: Server, sizes: Sizes) -> dict[str, float]:
        raise ToolError("broken")

    with pytest.raises(ToolError, match="broken"):
        run(workload(measure), [server(OURS)], rounds=1, n_threads=1)


def test_serial_server_is_left_out_where_requests_must_run_together() -> None:
    """Its figures would say nothing."""
    servers = [server(OURS), server("serial", is_concurrent=False)]
    together = workload(lambda each, sizes: {"speed": 1.0}, needs_concurrency=True)
    assert list(run(together, servers, rounds=1, n_threads=1).samples) == [OURS]
