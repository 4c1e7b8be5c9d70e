"""Messages on their way: rendering, signing, the HTTP client, and the delivery loop."""
