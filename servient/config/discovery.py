"""Who is told of this servient."""

from ipaddress import IPv4Address

from pydantic import Field

from servient.config.section import Section, WebUrl


class DiscoverySettings(Section):
    """Announcements by multicast DNS, and directories."""

    announce: bool | None = Field(
        None,
        description="Whether to announce the servient by multicast DNS; by default when it listens"
        " beyond this machine.",
    )
    announce_interface: IPv4Address | None = Field(
        None,
        description="The address of the network interface to announce on; by default that of the"
        " servient's own address.",
    )
    withdraw_on_stop: bool = Field(
        False,
        description="Say goodbye when stopping: orchestrators then forget this servient and what is"
        " deployed to it. Without, it may be restarted unnoticed.",
    )
    directory_url: WebUrl | None = Field(
        None,
        description="A directory of Thing Descriptions, as of WoT Discovery, in which the servient's"
        " Things are to be found.",
    )
