"""The Things that this project defines: their models, their vocabulary, and how a TD is made."""
