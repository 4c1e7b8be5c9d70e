"""Live streams measured beside other servers, in one run from one source; `make bench-live`."""
