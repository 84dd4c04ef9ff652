"""What an emulation measures, where it is kept, and how it is brought together."""
