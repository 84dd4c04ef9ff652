"""The assertions of W3C's WoT Profile that are about Things, and which of our tests is about which.

The ids are those of the document: its common constraints, HTTP Basic and HTTP SSE profiles.
"""

from collections.abc import Callable
from typing import TypeVar

BASIC = "http-basic-profile-protocol-binding-"
SSE = "http-sse-profile-protocol-binding-"

COMMON_ASSERTIONS = frozenset(
    {
        "profiling-mechanism-1",
        "profiling-mechanism-2",
        "profiling-mechanism-3",
        "profiling-mechanism-4",
        "profiling-mechanism-5",
        "common-constraints-units-1",
        "common-constraints-units-2",
        "common-constraints-date-format-1",
        "common-constraints-security-1",
        "common-constraints-security-3",
        "common-constraints-security-4",
        "common-constraints-security-7",
        "common-constraints-security-basic-in",
        "common-constraints-security-basic-name",
        "common-constraints-discovery-1",
        "common-constraints-errors-1",
        "common-constraints-errors-2",
        "common-constraints-errors-3",
        "common-constraints-errors-4",
        "common-constraints-errors-5",
        "common-constraints-errors-7",
    }
)

BASIC_ASSERTIONS = frozenset(
    {
        "http-basic-profile-1",
        "http-basic-profile-identifier-1",
        "profile-5-2-thing-protocol-binding-1",
        *(
            BASIC + name
            for name in (
                "readproperty-1",
                "readproperty-6",
                "writeproperty-1",
                "writeproperty-6",
                "readallproperties-1",
                "readallproperties-5",
                "writemultipleproperties-1",
                "writemultipleproperties-6",
                "invokeaction-1",
                "invokeaction-6",
                "invokeaction-7",
                "invokeaction-8",
                "invokeaction-10",
                "invokeaction-11",
                "invokeaction-12",
                "invokeaction-15",
                "invokeaction-16",
                "invokeaction-17",
                "invokeaction-18",
                "invokeaction-19",
                "invokeaction-20",
                "invokeaction-20a",
                "invokeaction-21",
                "invokeaction-22",
                "invokeaction-23",
                "invokeaction-24",
                "queryaction-1a",
                "queryaction-5",
                "queryaction-7a",
                "queryaction-7b",
                "cancelaction-1a",
                "cancelaction-5",
                "queryallactions-1",
                "queryallactions-6a",
                "queryallactions-6b",
            )
        ),
    }
)

SSE_ASSERTIONS = frozenset(
    {
        "http-sse-profile-1",
        "http-sse-profile-identifier-1",
        "http-sse-profile-protocol-binding-1",
        *(
            SSE + name
            for name in (
                "observeproperty-1",
                "observeproperty-4",
                "observeproperty-5a",
                "observeproperty-5b",
                "observeproperty-5c",
                "observeproperty-6b",
                "observeallproperties-1",
                "observeallproperties-4",
                "observeallproperties-5a",
                "observeallproperties-5b",
                "observeallproperties-5c",
                "observeallproperties-5d",
                "observeallproperties-6b",
                "subscribeevent-1",
                "subscribeevent-5",
                "subscribeevent-6a",
                "subscribeevent-6b",
                "subscribeevent-6c",
                "subscribeevent-6d",
                "subscribeevent-7b",
                "subscribeallevents-1",
                "subscribeallevents-3",
                "subscribeallevents-4a",
                "subscribeallevents-4b",
                "subscribeallevents-4c",
                "subscribeallevents-4d",
                "subscribeallevents-5b",
            )
        ),
    }
)

# What no test is about, and why. All other assertions are about consumers.
LEFT_OUT = {
    "profiling-mechanism-6": "is about who writes profiles",
    "profiling-mechanism-7": "is about who writes profiles",
    "common-constraints-security-basic-proxy": "no description names a proxy",
    BASIC + "queryaction-1b": "who prefers so is answered asynchronously by every action",
    BASIC + "cancelaction-1b": "who prefers so is answered asynchronously by every action",
    SSE + "observeproperty-5d": "a recommendation: two changes may share a time, but no number",
    SSE + "observeallproperties-5e": "a recommendation: two changes may share a time",
    SSE + "subscribeevent-6e": "a recommendation: two events may share a time",
    SSE + "subscribeallevents-4e": "a recommendation: two events may share a time",
}

Test = TypeVar("Test", bound=Callable[..., object])


def asserts(*ids: str) -> Callable[[Test], Test]:
    """Says which assertions a test is about."""

    def mark(test: Test) -> Test:
        test.__dict__["asserted_ids"] = ids
        return test

    return mark
