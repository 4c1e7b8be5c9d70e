"""The only place that builds the parts of a server, joins them, and runs them."""
