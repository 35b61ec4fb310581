"""What all tests may use."""

pytest_plugins = ["tests.servers"]
