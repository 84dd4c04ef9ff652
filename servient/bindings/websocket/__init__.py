"""The WebSocket binding: two dialects of messages on one connection core."""
