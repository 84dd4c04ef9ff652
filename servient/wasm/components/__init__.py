"""Components of the Component Model: compiled, instantiated and called with JSON values."""
