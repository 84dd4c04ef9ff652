"""What modules are offered to import."""
