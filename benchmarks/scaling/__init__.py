"""How the servient behaves when there is more of everything; each file measures one thing."""
