"""What runs jobs: one interface, so that threads can be exchanged for machines."""
