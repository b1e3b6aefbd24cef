"""Images told apart by what a pretrained image model, frozen or tuned, sees in them, under a linear model."""
