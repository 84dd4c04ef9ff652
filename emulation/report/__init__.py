"""What a run showed: figures, thresholds, and a report in one HTML file."""
