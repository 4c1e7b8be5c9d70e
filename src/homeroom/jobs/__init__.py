"""Background work: the worker of the job queue, the handlers of jobs, and the sweeper."""
