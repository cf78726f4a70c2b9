"""Planning the runs of the shop's own couriers: distances, solvers, and the process they run in."""
