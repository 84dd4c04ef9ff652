"""Everything at once for a while, and then nothing is lost and nothing is left."""
