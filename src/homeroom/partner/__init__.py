"""The partner API: credentials, wire, envelopes, the table of actions, one file a noun."""
