"""An open, self-hosted server that speaks the ClassIn/EEO partner API."""
