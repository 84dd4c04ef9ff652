"""Charts as SVG: they are seen without JavaScript, printed, and add a few kilobytes each."""
