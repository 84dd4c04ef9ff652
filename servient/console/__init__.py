"""The web page at `/`: a consumer of the servient's Things in a browser."""
