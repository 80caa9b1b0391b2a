"""What the product's own benchmarks found: the figures as files, and the page that shows them."""
