"""The world of deployments: from a manifest to Things that answer, and away again."""
