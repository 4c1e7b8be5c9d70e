"""The job engine: takes what is due and has it done; knows kinds, but not what they mean."""
