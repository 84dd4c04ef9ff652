"""The wires: each turns its messages into interactions and values into its messages."""
