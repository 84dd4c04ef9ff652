"""`wasi_ephemeral_nn`: neural networks, which the host computes."""
