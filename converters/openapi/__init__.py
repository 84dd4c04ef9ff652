"""OpenAPI documents in: what a module's one says about its functions, or any API as a Thing."""
