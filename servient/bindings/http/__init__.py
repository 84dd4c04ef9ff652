"""The HTTP binding: handlers found by tables, on connections of our own over httptools' parser."""
