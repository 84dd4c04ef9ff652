"""The Things that this project defines: their models, their vocabulary, and what builds and checks a TD."""
