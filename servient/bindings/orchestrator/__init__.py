"""The fixed HTTP routes that a wasmiot orchestrator calls: views of Things and of invocations."""
