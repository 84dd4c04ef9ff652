"""WoTPy's protocol clients, corrected: right results for every type, one connection kept per target."""
