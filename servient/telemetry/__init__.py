"""What the servient tells about itself."""
