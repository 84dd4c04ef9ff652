"""The one error of settings."""


class ConfigError(ValueError):
    """Settings that cannot be used, as one sentence for whoever set them."""
