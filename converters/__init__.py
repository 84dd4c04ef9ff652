"""Documents in, documents out: manifests and OpenAPI descriptions become Thing Descriptions."""
