"""Files of employees scored as jobs: kept in one folder for all workers, done in a process of their own."""
