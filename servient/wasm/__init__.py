"""WebAssembly: modules, their running copies, and the limits that keep both from doing harm."""
