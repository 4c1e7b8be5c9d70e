"""Measures of messages: how soon, how fast, and at what cost they are sent."""
