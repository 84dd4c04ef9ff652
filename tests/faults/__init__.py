"""What goes wrong outside of the servient, made to go wrong: the rows of docs/faults.md."""
