"""Images told apart by what a pretrained image model sees in them, under a linear model of one's own classes."""
