"""The HTTP binding: an ASGI application on uvicorn's protocol, inside the servient's event loop."""
