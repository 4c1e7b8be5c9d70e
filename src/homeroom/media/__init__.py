"""Media service: authorizes streams, takes in recordings and runs the media engine."""
