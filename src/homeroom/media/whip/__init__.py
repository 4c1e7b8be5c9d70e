"""WHIP gateway: converts a browser's WebRTC to RTMP, in a process that is started on demand."""
