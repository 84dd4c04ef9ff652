"""The Web of Things runtime: WoTPy's Scripting API made fit; no wire, no Wasm."""
