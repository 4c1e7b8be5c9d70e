"""HTTP and WebSocket for all APIs: server, errors, metrics, static files, faults, journal."""
