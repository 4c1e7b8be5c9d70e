"""Nouns and rules: values in, a value or a refusal out; no clock, no SQL, no wire."""
