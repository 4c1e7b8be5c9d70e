"""The messages to the receivers of schools, as data: kinds and bodies."""
