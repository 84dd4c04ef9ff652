"""What the servient counts, and how Prometheus reads it."""
