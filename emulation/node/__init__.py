"""What runs in a replica: an application with its servient, a servient of ours, or a broker."""
