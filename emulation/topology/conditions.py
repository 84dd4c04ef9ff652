"""Links by name: WoTemu's seven, and those of small devices."""

from enum import StrEnum

from emulation.topology.link import Link


class NetworkConditions(StrEnum):
    """What the line of a network is like, by WoTemu's names and figures."""

    GPRS = "GPRS"
    EDGE = "EDGE"
    REGULAR_3G = "REGULAR_3G"
    FAST_3G = "FAST_3G"
    LTE = "LTE"
    WIFI = "WIFI"
    CABLE = "CABLE"


class LinkConditions(StrEnum):
    """What the links of small devices are like: orders of magnitude, not a radio's model."""

    NB_IOT = "NB_IOT"
    """3GPP release 13, multi-tone, good coverage: 26 kbit/s down, 62 up, a second or more."""
    LORA_LIKE = "LORA_LIKE"
    """LoRa at spreading factor 7 and 125 kHz: 5.5 kbit/s, some packets lost, no duty cycle."""
    BLE_LIKE = "BLE_LIKE"
    """Bluetooth LE 4.2 with a connection interval of 30 ms: some 270 kbit/s of payload."""


CONDITIONS: dict[NetworkConditions | LinkConditions, Link] = {
    NetworkConditions.GPRS: Link(latency_ms=700, jitter_ms=100, rate_kbit=50),
    NetworkConditions.EDGE: Link(latency_ms=700, jitter_ms=100, rate_kbit=100),
    NetworkConditions.REGULAR_3G: Link(latency_ms=300, jitter_ms=150, rate_kbit=1_500),
    NetworkConditions.FAST_3G: Link(latency_ms=150, jitter_ms=50, rate_kbit=4_000),
    NetworkConditions.LTE: Link(latency_ms=40, jitter_ms=10, rate_kbit=15_000),
    NetworkConditions.WIFI: Link(latency_ms=25, jitter_ms=5, rate_kbit=50_000),
    NetworkConditions.CABLE: Link(latency_ms=5, jitter_ms=5, rate_kbit=100_000),
    LinkConditions.NB_IOT: Link(
        latency_ms=800,
        jitter_ms=300,
        uplink_rate_kbit=62,
        downlink_rate_kbit=26,
        loss_percent=1,
        is_shared=False,
    ),
    LinkConditions.LORA_LIKE: Link(
        latency_ms=100,
        jitter_ms=20,
        rate_kbit=5.5,
        loss_percent=5,
        loss_correlation_percent=25,
    ),
    LinkConditions.BLE_LIKE: Link(
        latency_ms=15, jitter_ms=7.5, rate_kbit=270, loss_percent=0.1, is_shared=False
    ),
}
