"""The WHIP gateway: a browser's WebRTC in, RTMP out. A process of its own, started when needed."""
