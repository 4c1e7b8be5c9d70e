"""The operator's side: read-back, API description, landing page, health and metrics."""
