"""Tests of who may end the server, and of pages that say they are open."""

import pytest
from starlette.testclient import TestClient

from runtime.engine.engine import Engine
from runtime.server.app import create_app
from runtime.server.ending import Ending
from runtime.server.safety.keys import KeyCheck
from runtime.server.safety.refusal import Guard
from runtime.server.state import ServerState

HERE = ("127.0.0.1", 50000)
HTML = {"Accept": "text/html"}


def _client(engine: Engine, ending: Ending, client: tuple[str, int] = HERE) -> TestClient:
    app = create_app(ServerState(engine, "model", "", {}, 100, ending=ending))
    return TestClient(app, base_url="http://localhost:8080", client=client)


def test_the_page_ends_it(engine: Engine) -> None:
    """From this machine, with the page's own origin or, as from a script, none."""
    for headers in ({}, {"Origin": "http://localhost:8080"}):
        ending = Ending(can_be_asked=True)
        http = _client(engine, ending)
        assert 'id="quit"' in http.get("/", headers=HTML).text
        assert http.post("/page/quit", headers=headers).status_code == 200
        assert ending.is_due(1, 0, is_loading=False)


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({"Origin": "http://example.org"}, HERE),
        ({"Origin": "http://localhost:3000"}, HERE),
        ({"Origin": "null"}, HERE),
        ({"Host": "model.example.org"}, HERE),
        ({"Host": "model.example.org", "Origin": "http://model.example.org"}, HERE),
        ({}, ("192.168.0.7", 50000)),
    ],
)
def test_nobody_else_does(engine: Engine, headers: dict[str, str], client: tuple[str, int]) -> None:
    """Not other pages, not those who come through a proxy, not other machines; no button either."""
    ending = Ending(can_be_asked=True)
    http = _client(engine, ending, client)
    assert http.post("/page/quit", headers=headers).status_code == 403
    assert not ending.is_due(0, 0, is_loading=False)
    assert 'id="quit"' not in http.get("/", headers=HTML | headers).text


def test_a_server_that_no_page_belongs_to_cannot_be_ended(engine: Engine) -> None:
    """One that opened no browser shows no button and refuses."""
    http = _client(engine, Ending())
    assert http.post("/page/quit").status_code == 403
    assert http.get("/page/quit").status_code in (404, 405)
    assert 'id="quit"' not in http.get("/", headers=HTML).text


def test_with_a_key_it_needs_the_key(engine: Engine) -> None:
    """Whoever may not use the model may not end it."""
    ending = Ending(can_be_asked=True)
    app = create_app(ServerState(engine, "model", "", {}, 100, ending=ending))
    guarded = Guard(app, [KeyCheck(["secret"])])
    http = TestClient(guarded, base_url="http://localhost:8080", client=HERE)
    assert http.post("/page/quit").status_code == 401
    assert http.post("/page/quit", headers={"X-Api-Key": "secret"}).status_code == 200


def test_where_no_page_is_waited_for_none_is_held(engine: Engine) -> None:
    """The page hears that it need not stay in touch."""
    assert _client(engine, Ending()).get("/page/presence").status_code == 204
