"""Applications that come with the emulator."""
