"""The plugin over HTTP and in templates: routes, visitors, blocks. The only stage that knows Flask."""
