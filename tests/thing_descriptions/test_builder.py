"""Names, ids and members that are not empty."""

from thing_descriptions.builder import (
    AffordanceNames,
    affordance_name,
    thing_id,
    without_empties,
)


def test_empty_members_go_and_false_ones_stay() -> None:
    document: dict[str, object] = {
        "a": None,
        "b": [],
        "c": {"d": {"e": []}},
        "f": False,
        "g": 0,
        "h": "",
        "i": [None],
    }
    assert without_empties(document) == {"f": False, "g": 0, "h": "", "i": [None]}


def test_ids_are_encoded() -> None:
    assert thing_id("s:1", "d", "m/ä") == "urn:wasm-servient:s%3A1:d:m%2F%C3%A4"


def test_names_are_safe() -> None:
    assert affordance_name("a.b c/ä") == "a_b_c_"
    assert affordance_name("fibo-2_x") == "fibo-2_x"


def test_names_are_given_once() -> None:
    names = AffordanceNames()
    wanted = ["a_b", "a-b", "A_B_2", "..", "/"]
    assert [names.take(name) for name in wanted] == [
        "a_b",
        "a-b_2",
        "A_B_2_2",
        "function",
        "function_2",
    ]
