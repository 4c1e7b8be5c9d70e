"""The wires of the partner API: how its requests and responses travel."""
