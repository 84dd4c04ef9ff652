"""What a description says of how requests over CoAP are protected."""

from servient.wot.description import Security

# TD 1.1 has no scheme for OSCORE. What both sides have is a key agreed on beforehand: `psk`, which
# leaves open by which standard it is used (section 5.3.3.8). The description names the standard.
SECURITY = Security(
    "oscore_sc",
    {
        "oscore_sc": {
            "scheme": "psk",
            "description": "OSCORE (RFC 8613) with a security context that was agreed on beforehand",
        }
    },
)
