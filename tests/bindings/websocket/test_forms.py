"""What the Thing Description says about WebSockets."""

from wotpy.protocols.utils import pick_form
from wotpy.wot.td import ThingDescription

from tests.bindings.websocket.serving import Served
from thing_descriptions.validator import validate_td


async def test_one_form_per_dialect(served: Served) -> None:
    forms = served.td["properties"]["level"]["forms"]
    operations = ["readproperty", "writeproperty", "observeproperty", "unobserveproperty"]
    form = {"href": served.url, "contentType": "application/json", "op": operations}
    assert forms == [{**form, "subprotocol": "webthingprotocol"}, form]


async def test_only_what_is_offered(served: Served) -> None:
    td = served.td
    assert td["properties"]["serial"]["forms"][0]["op"] == ["readproperty"]
    asked = ["invokeaction", "queryaction", "cancelaction"]
    assert [form["op"] for form in td["actions"]["double"]["forms"]] == [asked, ["invokeaction"]]
    assert td["forms"][0]["op"][0] == "readallproperties"
    assert td["forms"][0]["subprotocol"] == "webthingprotocol"
    assert td["events"]["toggled"]["forms"][0]["op"] == ["subscribeevent", "unsubscribeevent"]


async def test_the_description_is_valid(served: Served) -> None:
    assert validate_td(served.td) == []


async def test_what_wotpy_makes_of_it(served: Served) -> None:
    td = ThingDescription(served.td)
    form = pick_form(td, td.get_action_forms("double"), ["wss", "ws"])
    assert form.resolve_uri(td.base) == served.url
    base = served.binding.build_base_url("127.0.0.1", served.lamp.thing)
    assert base == served.url
    (own, _) = served.binding.build_forms("127.0.0.1", served.lamp.thing.properties["level"])
    assert own.href == served.url
