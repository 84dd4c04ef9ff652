"""How others learn that this servient is there."""
