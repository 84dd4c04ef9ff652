"""The CoAP binding: RFC 7252, with block-wise transfers (RFC 7959) and observation (RFC 7641)."""
